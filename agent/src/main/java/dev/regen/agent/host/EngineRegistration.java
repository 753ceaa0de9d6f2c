package dev.regen.agent.host;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/**
 * The entry of Regen's runtime in an engine's {@code daemon.json}, and the record of what was there
 * before, from which it is taken back.
 *
 * <p>The file is replaced in one step, durably, owner and mode kept. The record is on disk before
 * the file is changed; a crash in between leaves a record of a change that was not made, which
 * taking back copes with.
 */
final class EngineRegistration {
  static final String RUNTIME = "regen";

  private static final int VERSION = 1;
  private static final int RECORD_MAX_BYTES = 16 << 20;

  private final Disk disk;
  private final Path file;
  private final Path record;

  /**
   * @param file the engine's configuration, there or not
   * @param record where to keep what it held before
   */
  EngineRegistration(Disk disk, Path file, Path record) {
    this.disk = disk;
    this.file = file;
    this.record = record;
  }

  Path file() {
    return file;
  }

  /** Where the file says the runtime is, or null. */
  @Nullable String registered() throws IOException {
    String text = read();
    return text == null ? null : editing(text, json -> json.path(RUNTIME));
  }

  /**
   * Enters the runtime.
   *
   * @return whether the file was changed; not if it was there already
   * @throws RegenException.Refused if the file is not one that can be edited; nothing is changed
   */
  boolean enter(Path runtime) throws IOException {
    String before = read();
    DaemonJson old = new DaemonJson(before == null ? "" : before);
    String after = editing(old.text(), json -> json.with(RUNTIME, runtime.toString()).text());
    if (after.equals(before)) {
      return false;
    }
    boolean runtimes = editing(old.text(), DaemonJson::hasRuntimes);
    boolean directory = Files.isDirectory(WholeFile.directoryOf(file));
    JsonObject kept =
        new JsonObject()
            .with("version", VERSION)
            .with("file", file.toString())
            .with("before", before)
            .with("hadDirectory", directory)
            .with("hadRuntimes", runtimes)
            .with("after", after);
    new Records(disk).replace(record, kept.bytes());
    if (!directory) {
      Files.createDirectories(WholeFile.directoryOf(file));
      disk.forceDirectory(WholeFile.directoryOf(WholeFile.directoryOf(file)));
    }
    write(after);
    return true;
  }

  /**
   * Takes the entry out: the very bytes from before if nobody changed the file since, otherwise the
   * entry alone.
   *
   * @return whether the file was changed
   * @throws RegenException.Refused if the file was changed to something that cannot be edited
   */
  boolean takeBack() throws IOException {
    String now = read();
    JsonObject kept = kept();
    boolean changed = now != null && takeBack(now, kept);
    if (kept != null) {
      new Records(disk).remove(record);
    }
    return changed;
  }

  private boolean takeBack(String now, @Nullable JsonObject kept) throws IOException {
    if (kept != null && now.equals(kept.string("after"))) {
      restore(kept);
      return true;
    }
    boolean ours = kept != null && !kept.flag("hadRuntimes");
    String without = editing(now, json -> json.without(RUNTIME, ours).text());
    if (without.equals(now)) {
      return false;
    }
    write(without);
    return true;
  }

  private void restore(JsonObject kept) throws IOException {
    String before = kept.stringOrNull("before");
    if (before != null) {
      write(before);
      return;
    }
    disk.delete(file);
    disk.forceDirectory(WholeFile.directoryOf(file));
    if (!kept.flag("hadDirectory") && disk.list(WholeFile.directoryOf(file)).isEmpty()) {
      disk.delete(WholeFile.directoryOf(file));
    }
  }

  private @Nullable JsonObject kept() throws IOException {
    JsonObject kept;
    try {
      kept = JsonObject.parse(disk.read(record, RECORD_MAX_BYTES));
    } catch (NoSuchFileException e) {
      return null;
    }
    if (kept.number("version") != VERSION) {
      throw new RegenException.Refused(record + " is of a version that this Regen does not know");
    }
    return kept;
  }

  private @Nullable String read() throws IOException {
    byte[] bytes;
    try {
      bytes = disk.read(file, DaemonJson.LENGTH_MAX);
    } catch (NoSuchFileException e) {
      return null;
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw refused("it is not UTF-8");
    }
  }

  private void write(String text) throws IOException {
    Path target = Files.isSymbolicLink(file) ? file.toRealPath() : file;
    byte[] content = text.getBytes(StandardCharsets.UTF_8);
    WholeFile.replace(disk, target, content, unfinished -> copyOwner(target, unfinished));
  }

  private static void copyOwner(Path from, Path to) throws IOException {
    PosixFileAttributeView target = Files.getFileAttributeView(to, PosixFileAttributeView.class);
    if (!Files.exists(from)) {
      target.setPermissions(PosixFilePermissions.fromString("rw-r--r--"));
      return;
    }
    PosixFileAttributes attributes = Files.readAttributes(from, PosixFileAttributes.class);
    target.setOwner(attributes.owner());
    target.setGroup(attributes.group());
    target.setPermissions(attributes.permissions());
  }

  /** A question to the text or a change of it. */
  private interface Edit<T extends @Nullable Object> {
    T of(DaemonJson json) throws IOException;
  }

  private <T extends @Nullable Object> T editing(String text, Edit<T> edit)
      throws RegenException.Refused {
    try {
      return edit.of(new DaemonJson(text));
    } catch (IOException e) {
      String why = String.valueOf(e.getMessage());
      throw refused(why.lines().findFirst().orElse(why));
    }
  }

  private RegenException.Refused refused(String why) {
    return new RegenException.Refused(
        file + " is left as it is, it cannot be edited safely: " + why + "; mend it and try again");
  }
}
