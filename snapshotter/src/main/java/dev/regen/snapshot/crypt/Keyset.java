package dev.regen.snapshot.crypt;

import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The operator's file of keys: {@code {"version": 1, "active": ID, "keys": [{"id", "created",
 * "key"}]}}, the keys in Base64. It must belong to root and be readable by nobody else.
 *
 * <p>It is read when a key is first asked for, and again whenever it has changed: a key that was
 * put back works at once, and one that was taken out is gone at once.
 */
public final class Keyset implements Keys {
  /** The most keys a file may hold. */
  public static final int KEYS_MAX = 100;

  private static final long VERSION = 1;
  private static final int FILE_BYTES_MAX = 64 << 10;
  private static final int OTHERS = 077;

  /**
   * One key as it may be shown.
   *
   * @param active whether it is the one that encrypts
   */
  public record Listed(KeyId id, Instant created, boolean active) {}

  /** A file's content at one moment; {@code stat} tells whether it is still the same. */
  private record Content(
      Stat stat,
      List<Listed> listed,
      Map<KeyId, QueueKey> keys,
      QueueKey active,
      JsonObject json) {}

  private final Records records;
  private final Path file;
  private final InstantSource clock;
  private @Nullable Content last;

  /** Reads nothing yet; the file need not be there. */
  public Keyset(Records records, Path file, InstantSource clock) {
    this.records = records;
    this.file = file;
    this.clock = clock;
  }

  @Override
  public QueueKey key(KeyId id) throws IOException {
    Content content = content();
    QueueKey key = content == null ? null : content.keys().get(id);
    if (key == null) {
      throw new RegenException.Refused(
          "key "
              + id
              + " is not in "
              + file
              + (content == null
                  ? ", which is not there; put the file back from your copy"
                  : "; 'regen key add COPY' takes it from your copy of that file, beside those that"
                      + " are in it")
              + ": without it nothing that it encrypted can be read");
    }
    return key;
  }

  @Override
  public QueueKey active() throws IOException {
    Content content = content();
    if (content != null) {
      return content.active();
    }
    throw new RegenException.Refused(
        "there is no key in " + file + " to encrypt with; 'regen key new' makes one");
  }

  /** All keys, in the order they were made; empty if there is no file. */
  public List<Listed> list() throws IOException {
    Content content = content();
    return content == null ? List.of() : content.listed();
  }

  public Path file() {
    return file;
  }

  /**
   * Makes a key and lets it encrypt from now on; it survives a power cut once this has returned.
   * The keys before stay, for what they have encrypted.
   *
   * @throws RegenException.Refused if the file holds {@link #KEYS_MAX} already
   */
  public synchronized Listed add() throws IOException {
    Content before = content();
    List<JsonObject> keys =
        new ArrayList<>(before == null ? List.of() : before.json().objects("keys"));
    if (keys.size() >= KEYS_MAX) {
      throw new RegenException.Refused(
          file + " holds " + keys.size() + " keys and may not hold more");
    }
    SecureRandom random = new SecureRandom();
    byte[] id = new byte[KeyId.BYTES];
    byte[] secret = new byte[QueueKey.SECRET_BYTES];
    random.nextBytes(id);
    random.nextBytes(secret);
    Listed made =
        new Listed(KeyId.of(id, 0), clock.instant().truncatedTo(ChronoUnit.SECONDS), true);
    keys.add(
        new JsonObject()
            .with("id", made.id().hex())
            .with("created", made.created())
            .with("key", Base64.getEncoder().encodeToString(secret)));
    write(made.id(), keys);
    return made;
  }

  /**
   * Takes the keys of another such file, as an older copy, beside those that are here; the one that
   * encrypts stays. They survive a power cut once this has returned.
   *
   * @return those that were not here
   * @throws RegenException.NotFound if there is no such file
   * @throws RegenException.Refused if either file cannot be read, or all of them are too many
   */
  public synchronized List<Listed> addFrom(Path copy) throws IOException {
    Content there = new Keyset(records, copy, clock).content();
    if (there == null) {
      throw new RegenException.NotFound(copy + " is not there");
    }
    Content here = content();
    Set<KeyId> known = here == null ? Set.of() : here.keys().keySet();
    List<JsonObject> keys = new ArrayList<>();
    List<Listed> added = new ArrayList<>();
    for (int i = 0; i < there.listed().size(); i++) {
      if (!known.contains(there.listed().get(i).id())) {
        keys.add(there.json().objects("keys").get(i));
        added.add(there.listed().get(i));
      }
    }
    keys.addAll(here == null ? List.of() : here.json().objects("keys"));
    if (keys.size() > KEYS_MAX) {
      throw new RegenException.Refused(
          file + " would hold " + keys.size() + " keys and may not hold more than " + KEYS_MAX);
    }
    if (!added.isEmpty()) {
      write((here == null ? there : here).active().id(), keys);
    }
    return List.copyOf(added);
  }

  private void write(KeyId active, List<JsonObject> keys) throws IOException {
    Path directory = file.getParent();
    if (directory != null) {
      records.makeDirectory(directory);
    }
    records.replace(
        file,
        new JsonObject()
            .with("version", VERSION)
            .with("active", active.hex())
            .with("keys", keys)
            .bytes());
  }

  private synchronized @Nullable Content content() throws IOException {
    Stat now = Fd.statIfThere(file);
    if (now == null) {
      last = null;
      return null;
    }
    Content known = last;
    if (known == null || !known.stat().equals(now)) {
      known = read();
      last = known;
    }
    return known;
  }

  private Content read() throws IOException {
    try (Fd opened = Fd.open(Fd.bytes(file), Fd.RDONLY | Fd.NOFOLLOW | Fd.NONBLOCK, 0)) {
      Stat stat = opened.stat();
      checkAccess(stat);
      ByteBuffer bytes = ByteBuffer.allocateDirect(FILE_BYTES_MAX + 1);
      while (bytes.hasRemaining() && opened.read(bytes) > 0) {
        // Reads on until the end.
      }
      if (!bytes.hasRemaining()) {
        throw new RegenException.Refused(file + " is longer than " + FILE_BYTES_MAX + " bytes");
      }
      byte[] json = new byte[bytes.flip().remaining()];
      bytes.get(json);
      return parsed(stat, json);
    } catch (ErrnoException e) {
      throw new RegenException.Refused(file + " cannot be read: " + e.getMessage());
    }
  }

  private void checkAccess(Stat stat) throws RegenException {
    if (!stat.isRegular()) {
      throw new RegenException.Refused(file + " is no file; keys are not read from it");
    }
    if (stat.uid() != 0 || (stat.permissions() & OTHERS) != 0) {
      throw new RegenException.Refused(
          file
              + " may be read by others than root; keys are not read from it until 'chown root "
              + file
              + " && chmod 600 "
              + file
              + "'");
    }
  }

  /** No message may quote what stands in the file. */
  private Content parsed(Stat stat, byte[] bytes) throws IOException {
    JsonObject json;
    try {
      json = JsonObject.parse(bytes);
    } catch (IOException e) {
      throw damaged("it is not JSON");
    }
    try {
      if (json.number("version") != VERSION) {
        throw new RegenException.Refused(
            file + " is of version " + json.number("version") + "; this Regen knows " + VERSION);
      }
      return parsed(stat, json);
    } catch (RegenException e) {
      throw e;
    } catch (IOException | IllegalArgumentException e) {
      throw damaged("a member is missing or has another form");
    }
  }

  private Content parsed(Stat stat, JsonObject json) throws IOException {
    List<Listed> listed = new ArrayList<>();
    Map<KeyId, QueueKey> keys = new HashMap<>();
    KeyId active = new KeyId(json.string("active"));
    if (json.objects("keys").size() > KEYS_MAX) {
      throw damaged("it holds more than " + KEYS_MAX + " keys");
    }
    for (JsonObject key : json.objects("keys")) {
      KeyId id = new KeyId(key.string("id"));
      byte[] secret = Base64.getDecoder().decode(key.string("key"));
      listed.add(new Listed(id, key.instant("created"), id.equals(active)));
      if (keys.put(id, new QueueKey(id, file.toString(), secret)) != null) {
        throw damaged("key " + id + " stands in it twice");
      }
    }
    QueueKey encrypts = keys.get(active);
    if (encrypts == null) {
      throw damaged("the active key " + active + " is not in it");
    }
    return new Content(stat, List.copyOf(listed), Map.copyOf(keys), encrypts, json);
  }

  /** Of the keys alone: what they encrypted is not damaged. */
  private RegenException.Refused damaged(String what) {
    return new RegenException.Refused(
        file + " is no keyset: " + what + "; put it back from your copy");
  }
}
