package dev.regen.snapshot.remote;

import dev.regen.snapshot.Digest;
import java.util.List;

/**
 * How the servers of a store bear what is asked of them, so that whoever has many chunks to
 * transfer gives none of them more than it bears, and none has to wait for another.
 */
public interface Load {
  /** Which way a chunk goes. */
  enum Way {
    PUT,
    GET
  }

  /**
   * What went to and from a server since the store was opened.
   *
   * @param server its address
   * @param bytes of chunks and all else, both ways together
   * @param atOnce how many calls at once it is trusted with now
   */
  record Served(String server, long bytes, int atOnce) {}

  /**
   * The servers, by number, that a chunk would be put to, or got from, at this moment; at least
   * one.
   */
  List<Integer> servers(Digest digest, Way way);

  /** How many chunks of such a size a server bears now at once, at least 1. */
  int bears(int server, int bytes);

  /** Whether a server has as much to do as it bears, so that one more would wait. */
  default boolean isFull(int server) {
    return false;
  }

  /** What each server did; empty where the store is none of servers. */
  List<Served> served();

  /** That of a store which is one, and bears this much. */
  static Load one(int bears) {
    return new Load() {
      @Override
      public List<Integer> servers(Digest digest, Way way) {
        return List.of(0);
      }

      @Override
      public int bears(int server, int bytes) {
        return bears;
      }

      @Override
      public List<Served> served() {
        return List.of();
      }
    };
  }
}
