package dev.regen.snapshot.remote;

import dev.regen.snapshot.Digest;
import java.util.List;

/**
 * The load of a store that is one server: as many chunks as go in the calls that it bears, and one
 * more call's, to be made ready meanwhile.
 */
record ServerLoad(String server, Pace pace, ChunkCalls chunks) implements Load {
  @Override
  public List<Integer> servers(Digest digest, Way way) {
    return List.of(0);
  }

  @Override
  public int bears(int number, int bytes) {
    return (pace.limit() + 1) * chunks.together(bytes);
  }

  @Override
  public boolean isFull(int number) {
    return pace.isFull();
  }

  @Override
  public List<Served> served() {
    return List.of(new Served(server, pace.bytesInAll(), pace.limit()));
  }
}
