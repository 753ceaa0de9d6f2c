package dev.regen.snapshot.remote.s3;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.SealedRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Which store this is, and whether its server keeps the promise that of several who replace an
 * object at once one wins. Found out once, when a store is made, and written down in it.
 *
 * @param id 32 hexadecimal digits
 * @param quoted whether the server wants a version's name in quotes, as HTTP has it
 * @param kept whether it keeps the promise; else one host at a time may write
 */
record Promise(String id, boolean quoted, boolean kept) {
  private static final String FILE = "store.json";
  private static final int VERSION = 1;
  private static final int BYTES_MAX = 4096;

  /**
   * Reads what is written down, or finds out and writes it.
   *
   * @param make whether the store may be made
   * @param oneWriter whether the user says that one host at a time writes
   * @throws RegenException.NotFound if there is no store, and none may be made
   * @throws RegenException.Refused if the server does not keep the promise, and several may write
   */
  static Promise of(Bucket bucket, boolean make, boolean oneWriter) throws IOException {
    Optional<Promise> written = read(bucket);
    if (written.isEmpty() && !make) {
      throw new RegenException.NotFound(
          "there is no store at " + bucket.words() + ": nothing was pushed there yet");
    }
    Promise promise = written.isPresent() ? written.get() : make(bucket, oneWriter);
    if (!promise.kept() && !oneWriter) {
      throw new RegenException.Refused(
          bucket.words()
              + " does not keep what several writers need: of two that replaced one object at the"
              + " same moment (If-None-Match, If-Match) not exactly one won. Use another service,"
              + " or, if no two hosts ever write there at once, say writers=one");
    }
    return promise;
  }

  private static Promise make(Bucket bucket, boolean oneWriter) throws IOException {
    Optional<Boolean> quoted = RaceProbe.quoted(bucket);
    boolean kept = quoted.isPresent() && RaceProbe.oneWins(bucket, quoted.get());
    Promise mine = new Promise(Leases.random(), quoted.orElse(true), kept);
    if (!kept && !oneWriter) {
      return mine;
    }
    try {
      bucket.put(FILE, mine.bytes(), kept ? Bucket.Condition.ABSENT : Bucket.Condition.NONE);
      return mine;
    } catch (Failures.Lost e) {
      // Somebody else made the store just now.
      return read(bucket).orElseThrow(() -> e);
    }
  }

  private static Optional<Promise> read(Bucket bucket) throws IOException {
    Optional<Bucket.Stored> stored = bucket.get(FILE, BYTES_MAX);
    if (stored.isEmpty()) {
      return Optional.empty();
    }
    JsonObject json = SealedRecord.open(Path.of(FILE), stored.get().bytes(), VERSION);
    try {
      String id = json.string("id");
      if (!id.matches("[0-9a-f]{32}")) {
        throw new IOException("its id is none");
      }
      return Optional.of(new Promise(id, json.flag("quotedTags"), json.flag("manyWriters")));
    } catch (IOException e) {
      throw new RegenException.Damaged(FILE + " is damaged: " + e.getMessage());
    }
  }

  private byte[] bytes() {
    return SealedRecord.seal(
        VERSION,
        new JsonObject().with("id", id).with("quotedTags", quoted).with("manyWriters", kept));
  }
}
