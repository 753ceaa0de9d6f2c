package dev.regen.agent.registry;

import at.favre.lib.crypto.bcrypt.BCrypt;
import dev.regen.runtime.Why;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.registry.RegistryException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The users of an htpasswd file, with passwords hashed by bcrypt ({@code htpasswd -B}). The file is
 * read again when it has changed; one that cannot be read is told of in the log, and the users
 * before may log in.
 */
final class Users {
  private static final Logger LOG = LoggerFactory.getLogger(Users.class);
  private static final int FILE_BYTES_MAX = 4 << 20;
  private static final int PASSWORD_BYTES_MAX = 72;
  private static final int PROVED_MAX = 1_000;

  /** A comparison takes a tenth of a second of a processor: somebody who guesses gets no more. */
  private static final int AT_ONCE = 1;

  /** Compared with where there is no such user, so that it takes as long. */
  private static final String NOBODY =
      "$2y$10$CwTycUXWue0Thq9StjUM0uJ8y7n0e0D1t1A2yPmmkkjx5jxQWbxMe";

  private final Path file;
  private final Semaphore comparing = new Semaphore(AT_ONCE, true);
  private final byte[] salt = new byte[32];

  /** Salted digests of names with passwords that were right, so that bcrypt is asked once. */
  private final Set<String> proved = ConcurrentHashMap.newKeySet();

  private volatile Map<String, String> hashes;
  private volatile @Nullable FileTime readAt;

  /**
   * Reads the file.
   *
   * @throws RegenException.BadInput if a line is not NAME:HASH, or a hash is not of bcrypt
   */
  Users(Path file) throws IOException {
    this.file = file;
    new SecureRandom().nextBytes(salt);
    readAt = Files.getLastModifiedTime(file);
    hashes = read(file);
  }

  /**
   * Compares a password.
   *
   * @throws RegistryException UNAUTHORIZED if it is not that user's
   */
  void check(Access.Credentials credentials) throws IOException {
    refresh();
    String proof = proof(credentials);
    if (proved.contains(proof)) {
      return;
    }
    byte[] password = credentials.password().getBytes(StandardCharsets.UTF_8);
    String hash = hashes.getOrDefault(credentials.user(), NOBODY);
    boolean right = false;
    if (password.length <= PASSWORD_BYTES_MAX) {
      comparing.acquireUninterruptibly();
      try {
        right =
            BCrypt.verifyer().verify(password, hash.getBytes(StandardCharsets.US_ASCII)).verified;
      } finally {
        comparing.release();
      }
    }
    if (!right || !hashes.containsKey(credentials.user())) {
      throw new RegistryException(
          RegistryException.Code.UNAUTHORIZED, "the name or the password is wrong");
    }
    if (proved.size() >= PROVED_MAX) {
      proved.clear();
    }
    proved.add(proof);
  }

  private String proof(Access.Credentials credentials) {
    MessageDigest sha256 = Digest.sha256();
    sha256.update(salt);
    sha256.update((credentials.user() + ":").getBytes(StandardCharsets.UTF_8));
    return HexFormat.of()
        .formatHex(sha256.digest(credentials.password().getBytes(StandardCharsets.UTF_8)));
  }

  private synchronized void refresh() {
    try {
      FileTime now = Files.getLastModifiedTime(file);
      if (!now.equals(readAt)) {
        readAt = now;
        hashes = read(file);
        proved.clear();
        LOG.info("{} has changed; its users may log in from now on", file);
      }
    } catch (IOException e) {
      LOG.warn("the users before may still log in: {}", Why.of(e));
    }
  }

  private static List<String> lines(Path file) throws IOException {
    try {
      return Files.readAllLines(file);
    } catch (NoSuchFileException e) {
      throw e;
    } catch (IOException e) {
      throw new RegenException.BadInput(file + " is no file of htpasswd: " + Why.of(e));
    }
  }

  private static Map<String, String> read(Path file) throws IOException {
    if (Files.size(file) > FILE_BYTES_MAX) {
      throw new RegenException.BadInput(file + " holds more than " + FILE_BYTES_MAX + " bytes");
    }
    Map<String, String> hashes = new HashMap<>();
    int number = 0;
    for (String line : lines(file)) {
      number++;
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      int colon = line.indexOf(':');
      String hash = line.substring(colon + 1).strip();
      if (colon < 1 || !hash.matches("\\$2[aby]\\$[0-9]{2}\\$[./A-Za-z0-9]{53}")) {
        throw new RegenException.BadInput(
            file + ", line " + number + ": NAME:HASH with a bcrypt hash is wanted (htpasswd -B)");
      }
      hashes.put(line.substring(0, colon), hash);
    }
    return hashes;
  }
}
