package dev.regen.snapshot.transfer;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One upload that is followed, by one manifest, until all of its chunks are here. */
final class Following {
  /** How often lost chunks are asked for again. */
  private static final int ASKED_AGAIN_MAX = 5;

  private final RemoteStore store;
  private final RemoteQueue remote;
  private final LostChunks lostChunks;
  private final ChunkStore chunks;
  private final Snapshot snapshot;
  private final Set<Digest> missing;
  private final AwaitedChunks arriving;
  private final Patience patience;
  private final TransferProgress progress;
  private StoredSnapshot stored;
  private boolean complete;
  private @Nullable StoredSnapshot changed;

  /** The other host has ended its push for good. */
  static final class GivenUp extends IOException {
    private static final long serialVersionUID = 1;

    GivenUp(String message) {
      super(message);
    }

    @Override
    public String getMessage() {
      return String.valueOf(super.getMessage());
    }
  }

  /**
   * @param missing what is not here of {@code snapshot}
   */
  Following(
      RemoteStore store,
      ChunkStore chunks,
      StoredSnapshot stored,
      Snapshot snapshot,
      Set<Digest> missing,
      Patience patience,
      TransferProgress progress) {
    this.store = store;
    this.remote = new RemoteQueue(store, stored.queue());
    this.lostChunks = new LostChunks(store, stored.queue(), stored.id());
    this.chunks = chunks;
    this.stored = stored;
    this.snapshot = snapshot;
    this.missing = missing;
    this.arriving = new AwaitedChunks(chunks, missing);
    this.patience = patience;
    this.progress = progress;
  }

  Snapshot snapshot() {
    return snapshot;
  }

  /** What the store said of it last. */
  StoredSnapshot stored() {
    return stored;
  }

  AwaitedChunks arriving() {
    return arriving;
  }

  Transferred transferred() {
    return Transferred.of(snapshot, missing);
  }

  /**
   * Fetches what comes until all of it is here and complete in the store.
   *
   * @return what is pushed instead, if the snapshot has another manifest now
   */
  Optional<StoredSnapshot> run() throws IOException {
    List<Transferred.Placed> items =
        Transferred.inOrder(snapshot).stream()
            .filter(placed -> missing.contains(placed.chunk().digest()))
            .toList();
    progress.expected(
        items.size(), items.stream().mapToLong(placed -> placed.chunk().storedBytes()).sum());
    patience.step("following");
    Map<Transferred.Placed, String> lost = fetchWhatComes(items);
    String told = null;
    for (int asked = 0; changed == null && !(complete && lost.isEmpty()); ) {
      if (told == null && !lost.isEmpty()) {
        if (++asked > ASKED_AGAIN_MAX) {
          throw notAll(lost);
        }
        told = tell(lost.keySet());
      }
      look(lost);
      if (told != null && changed == null && !lostChunks.isTold(told)) {
        told = null;
        patience.sign();
        lost = fetchAgain(lost.keySet());
      } else if (!complete || !lost.isEmpty()) {
        patience.pause(
            lost.isEmpty()
                ? "all chunks are here: waiting for the push to end"
                : "waiting for "
                    + lost.size()
                    + " chunks that the store has lost: push the snapshot again");
      }
    }
    return Optional.ofNullable(changed);
  }

  private Map<Transferred.Placed, String> fetchWhatComes(List<Transferred.Placed> items)
      throws IOException {
    Fetching fetching = new Fetching(store, chunks, progress, arriving::arrived);
    Coming coming =
        new Coming(
            store,
            items,
            patience,
            new Coming.Upload() {
              @Override
              public void check() throws IOException {
                fetching.check();
              }

              @Override
              public boolean goesOn() throws IOException {
                look(Map.of());
                return !complete && changed == null;
              }
            });
    fetching.run(coming);
    patience.sign();
    Map<Transferred.Placed, String> lost = messages(fetching);
    if (changed == null && !coming.left().isEmpty()) {
      // Several stores as one call missing what has too few copies; one is enough here.
      lost.putAll(fetchAgain(coming.left()));
    }
    return lost;
  }

  private Map<Transferred.Placed, String> fetchAgain(Collection<Transferred.Placed> items)
      throws IOException {
    Fetching fetching = new Fetching(store, chunks, progress, arriving::arrived);
    fetching.run(items);
    return messages(fetching);
  }

  private static Map<Transferred.Placed, String> messages(Fetching fetching) {
    Map<Transferred.Placed, String> messages = new LinkedHashMap<>();
    fetching.lost().forEach((placed, e) -> messages.put(placed, String.valueOf(e.getMessage())));
    return messages;
  }

  private String tell(Collection<Transferred.Placed> lost) throws IOException {
    return lostChunks.tell(
        stored.manifest(),
        lost.stream().map(Transferred.Placed::index).limit(LostChunks.INDICES_MAX).toList());
  }

  /** Learns how far the other host is. */
  private void look(Map<Transferred.Placed, String> lost) throws IOException {
    StoredSnapshot now =
        switch (remote.state(stored.id(), stored.manifest())) {
          case RemoteQueue.State.Complete is -> {
            complete = true;
            yield is.snapshot();
          }
          case RemoteQueue.State.Uploading is -> {
            complete = false;
            yield is.snapshot();
          }
          case RemoteQueue.State.Gone _ ->
              throw new GivenUp(
                  "the push of "
                      + snapshot.words()
                      + " was ended: the snapshot was removed where it came from. Nothing of it is"
                      + " kept here");
        };
    if (!now.manifest().equals(stored.manifest())) {
      changed = now;
    } else {
      stored = now;
    }
    if (patience.isOver()) {
      throw lost.isEmpty() ? stopped() : notAll(lost);
    }
  }

  private RegenException stopped() throws IOException {
    return new RegenException.Refused(
        "the push of "
            + snapshot.words()
            + " does not go on: nothing came for "
            + patience.limitWords()
            + ". "
            + (missing.size() - chunks.missing(missing).size())
            + " of "
            + missing.size()
            + " chunks have come and stay for a day; push it again there, and run this again");
  }

  private RegenException notAll(Map<Transferred.Placed, String> lost) {
    return new RegenException.Damaged(lostWords(snapshot, lost));
  }

  /** What to say of chunks that could not be had. */
  static String lostWords(Snapshot snapshot, Map<Transferred.Placed, String> lost) {
    String indices =
        LostChunks.ranges(lost.keySet().stream().map(Transferred.Placed::index).toList());
    return "the store has not all of "
        + snapshot.words()
        + ": chunks "
        + (indices.length() > 200 ? indices.substring(0, 200) + "…" : indices)
        + " ("
        + lost.values().iterator().next()
        + "). What came stays for a day; push it again from a host that has it, which sends them"
        + " again, and run this again";
  }
}
