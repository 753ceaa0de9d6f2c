package dev.regen.snapshot.care;

import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.Parallel;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.Shards;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import java.util.regex.Pattern;

/**
 * Brings what lies in several stores to where it belongs: after a server was added (its share comes
 * to it) or is to be taken away (its weight is 0 then), and after one was lost (what it held is
 * made again from the other copies). A copy is deleted only when all those that should be there
 * were read and compared with their digest.
 *
 * <p>Readers and pushers find everything meanwhile, as long as they know all the servers. Stopped
 * anywhere and begun again it goes on with the rest.
 */
public final class Rebalancing {
  /** Each has a chunk in memory, of up to 8 MiB, and another one to compare it with. */
  private static final int AT_ONCE = 3;

  private static final int BATCH = 96;

  /** What changes all the time, and is soon gone, stays where it is. */
  private static final Pattern SHORT_LIVED =
      Pattern.compile("queues/[^/]+/(upload|missing)/.*|images/upload/.*|layers/lost/.*");

  private final RemoteStore store;

  public Rebalancing(RemoteStore store) {
    this.store = store;
  }

  /**
   * Does it.
   *
   * @param all whether each copy of each chunk is read, so that damage is found where nothing
   *     moves; else only what moves is
   * @throws RegenException.Misuse if the store is one
   * @throws CancellationException soon after the progress said so; what was done stays
   * @throws IOException if a server does not answer, or too much fails
   */
  public Rebalanced run(boolean all, TransferProgress progress) throws IOException {
    Shards shards =
        store
            .shards()
            .orElseThrow(() ->
                new RegenException.Misuse(
                    "there is nothing to balance: the store is one, not several servers"));
    store.requireAll();
    Tally tally = new Tally(progress);
    progress.step("looking at what is where");
    long work = count(shards, all, tally);
    progress.expected(work, 0);
    progress.step(all ? "reading all copies" : "bringing chunks to their place");
    // The chunks first: a record is where it can be found all the time.
    chunks(shards, all, tally);
    progress.step("bringing records to their place");
    records(shards, tally);
    return tally.result();
  }

  private static long count(Shards shards, boolean all, Tally tally) throws IOException {
    long work = 0;
    try (Spread spread = new Spread(shards.stores())) {
      for (Spread.Copies one = spread.next(); one != null; one = spread.next()) {
        tally.seen();
        if (all || ChunkMove.isNeeded(shards, one)) {
          work++;
        }
      }
    }
    return work;
  }

  private static void chunks(Shards shards, boolean all, Tally tally) throws IOException {
    ChunkMove move = new ChunkMove(shards, tally);
    try (Spread spread = new Spread(shards.stores())) {
      List<Spread.Copies> some = new ArrayList<>();
      for (Spread.Copies one = spread.next(); one != null; one = spread.next()) {
        if (all || ChunkMove.isNeeded(shards, one)) {
          some.add(one);
        }
        if (some.size() >= BATCH) {
          Parallel.run(some, AT_ONCE, copies -> move.make(copies, all));
          some.clear();
        }
      }
      Parallel.run(some, AT_ONCE, copies -> move.make(copies, all));
    }
  }

  private static void records(Shards shards, Tally tally) throws IOException {
    List<Set<String>> names = new ArrayList<>();
    Set<String> together = new TreeSet<>();
    for (RemoteStore one : shards.stores()) {
      Set<String> its = new TreeSet<>(one.records(""));
      names.add(its);
      together.addAll(its);
    }
    RecordMove move = new RecordMove(shards, tally);
    for (String name : together) {
      if (!SHORT_LIVED.matcher(name).matches()) {
        List<Integer> holders = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
          if (names.get(i).contains(name)) {
            holders.add(i);
          }
        }
        move.make(name, holders);
      }
    }
  }
}
