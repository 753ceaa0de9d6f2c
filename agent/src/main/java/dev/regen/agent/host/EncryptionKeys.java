package dev.regen.agent.host;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.crypt.Keyset;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Whether each key is there that encrypted a snapshot of this host, or that a queue's next capture
 * needs. Reads every manifest; those that are damaged are {@code regen verify}'s to name.
 */
final class EncryptionKeys {
  private static final String NAME = "encryption keys";
  private static final String REMEDY =
      "put the file back from your copy, root's and mode 0600, or, where other keys are in it,"
          + " 'regen key add COPY'; without a copy: 'regen rm' what is locked, then 'regen key new'";

  private final Keyset keyset;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;

  /** Queues that need a key, and those that cannot have theirs. */
  private final Set<QueueName> needing = new TreeSet<>();

  /** By the reason, and by what it keeps from being done. */
  private final Map<String, Map<String, Set<QueueName>>> lacking = new TreeMap<>();

  private EncryptionKeys(Path home, Keyset keyset) throws IOException {
    this.keyset = keyset;
    this.queues = new SnapshotQueues(home.resolve("queues"));
    this.snapshots = new SnapshotStore(new LocalDisk(), home.resolve("snapshots"), keyset);
  }

  static Check check(Path home, Keyset keyset) throws IOException {
    if (!Root.is()) {
      return Check.better(NAME, "only root may look at them", "sudo regen doctor");
    }
    // Opening makes what is missing, and a look changes nothing.
    if (!Files.isDirectory(home.resolve("queues"))
        || !Files.isDirectory(home.resolve("snapshots"))) {
      return Check.fits(NAME, "none needed: nothing was kept yet");
    }
    return new EncryptionKeys(home, keyset).check();
  }

  private Check check() throws IOException {
    for (QueueName queue : queues.list()) {
      try {
        look(queues.look(queue));
      } catch (RegenException.Damaged | RegenException.NotFound e) {
        // No key mends that.
      }
    }
    if (!lacking.isEmpty()) {
      return Check.wrong(NAME, lackingInWords(), REMEDY);
    }
    try {
      int keys = keyset.list().size();
      return Check.fits(
          NAME,
          needing.isEmpty()
              ? "none needed: nothing is encrypted"
              : keys + " in " + keyset.file() + ", all that " + words(needing) + " need");
    } catch (RegenException e) {
      return Check.better(NAME, "nothing is encrypted, but " + e.getMessage(), REMEDY);
    }
  }

  private void look(QueueContent queue) throws IOException {
    if (queue.encrypted()) {
      needing.add(queue.name());
      try {
        keyset.active();
      } catch (RegenException e) {
        lacks(queue.name(), "captures wait", String.valueOf(e.getMessage()));
      }
    }
    for (Element element : queue.elements()) {
      try {
        look(queue.name(), element);
      } catch (RegenException.Damaged | RegenException.NotFound e) {
        // No key mends that.
      }
    }
  }

  private void look(QueueName queue, Element element) throws IOException {
    KeyId key = snapshots.read(element.id()).key();
    if (key != null) {
      needing.add(queue);
      String why = snapshots.whyLocked(key);
      if (why != null) {
        lacks(queue, "snapshots are locked", why);
      }
    }
  }

  private void lacks(QueueName queue, String what, String why) {
    lacking
        .computeIfAbsent(why, _ -> new TreeMap<>())
        .computeIfAbsent(what, _ -> new TreeSet<>())
        .add(queue);
  }

  /** Each reason once. */
  private String lackingInWords() {
    List<String> all = new ArrayList<>();
    lacking.forEach((why, things) -> all.add(inWords(things) + ": " + why));
    return String.join("; ", all);
  }

  private static String inWords(Map<String, Set<QueueName>> things) {
    return Set.copyOf(things.values()).size() == 1
        ? words(things.values().iterator().next()) + ": " + String.join(", ", things.keySet())
        : things.entrySet().stream()
            .map(thing -> words(thing.getValue()) + ": " + thing.getKey())
            .collect(Collectors.joining(", "));
  }

  /** At most three names, so that the table stays a table. */
  private static String words(Set<QueueName> queues) {
    String first = queues.stream().limit(3).map(QueueName::value).collect(Collectors.joining(", "));
    return queues.size() > 3 ? first + " and " + (queues.size() - 3) + " more" : first;
  }
}
