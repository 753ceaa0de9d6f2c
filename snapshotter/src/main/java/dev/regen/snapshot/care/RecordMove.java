package dev.regen.snapshot.care;

import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.registry.Names;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.Shards;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Brings the copies of one record to where they belong. Its name ends with the beginning of its own
 * digest, so a copy that is another is found out.
 */
final class RecordMove {
  private static final int TAG_CHARACTERS = 16;

  private final Shards shards;
  private final Tally tally;

  RecordMove(Shards shards, Tally tally) {
    this.shards = shards;
    this.tally = tally;
  }

  void make(String name, List<Integer> holders) throws IOException {
    List<Integer> wanted = shards.placement().copies(Shards.key(name));
    if (holders.containsAll(wanted) && wanted.containsAll(holders)) {
      return;
    }
    try {
      move(name, holders, wanted);
    } catch (IOException e) {
      tally.failed("record " + name, e);
    }
    tally.done();
  }

  private void move(String name, List<Integer> holders, List<Integer> wanted) throws IOException {
    Map<Integer, byte[]> there = new HashMap<>();
    int source = -1;
    for (int at : holders) {
      Optional<byte[]> content = store(at).record(name);
      if (content.isPresent() && fits(name, content.get())) {
        there.put(at, content.get());
        source = source < 0 ? at : source;
      }
    }
    byte[] content = there.get(source);
    if (content == null) {
      throw new RegenException.Damaged("no copy of it is whole, or it went meanwhile");
    }
    for (int at : wanted) {
      if (!Arrays.equals(content, there.get(at))) {
        store(at).replaceRecord(name, content, null);
        if (!store(at).record(name).map(is -> Arrays.equals(is, content)).orElse(false)) {
          throw new IOException("it was stored, and is not there");
        }
        tally.record();
      }
    }
    if (store(source).record(name).isEmpty()) {
      // Somebody removed it meanwhile, and could not know of the new copies.
      for (int at : wanted) {
        store(at).deleteRecord(name);
      }
      return;
    }
    for (int at : holders) {
      if (!wanted.contains(at)) {
        store(at).deleteRecord(name);
      }
    }
  }

  private static boolean fits(String name, byte[] content) {
    if (Names.isOurs(name)) {
      return Names.isWhole(name, content);
    }
    String end = name.substring(Math.max(0, name.length() - TAG_CHARACTERS));
    return RemoteStore.tag(content).startsWith(end);
  }

  private RemoteStore store(int at) {
    return shards.stores().get(at);
  }
}
