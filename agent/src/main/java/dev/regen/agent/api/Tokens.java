package dev.regen.agent.api;

import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who may use the API, in a file of mode 0600 that is read again when it has changed. One that
 * cannot be read then is told of in the log, and nobody may until it can.
 */
public final class Tokens {
  /** The most there may be. */
  public static final int COUNT_MAX = 1_000;

  private static final Logger LOG = LoggerFactory.getLogger(Tokens.class);
  private static final int FILE_BYTES_MAX = 1 << 20;

  private final Disk disk;
  private final Path file;
  private final InstantSource clock;
  private List<Token> tokens = List.of();
  private @Nullable Stat seen;

  public Tokens(Disk disk, Path file, InstantSource clock) {
    this.disk = disk;
    this.file = file;
    this.clock = clock;
  }

  /** By name; those that have expired too. */
  public synchronized List<Token> list() throws IOException {
    refresh();
    return tokens;
  }

  /**
   * Makes a token, which is returned here and never again; it counts once this has returned.
   *
   * @param lifetime null for without end
   * @throws RegenException.Refused if there is one of that name, or too many
   */
  public synchronized String add(String name, Role role, @Nullable Duration lifetime)
      throws IOException {
    refresh();
    String secret = Secrets.make();
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    Instant expires = lifetime == null ? null : now.plus(lifetime);
    Token token = new Token(name, role, Secrets.sha256(secret), now, expires);
    if (tokens.stream().anyMatch(other -> other.name().equals(name))) {
      throw new RegenException.Refused(
          "there is a token '" + name + "' already; 'regen token rm' removes it");
    }
    if (tokens.size() >= COUNT_MAX) {
      throw new RegenException.Refused("there are " + COUNT_MAX + " tokens, and may not be more");
    }
    List<Token> next = new ArrayList<>(tokens);
    next.add(token);
    next.sort(Comparator.comparing(Token::name));
    write(next);
    return secret;
  }

  /**
   * From now on the token of that name is nobody's.
   *
   * @throws RegenException.NotFound if there is none
   */
  public synchronized void remove(String name) throws IOException {
    refresh();
    List<Token> next = tokens.stream().filter(token -> !token.name().equals(name)).toList();
    if (next.size() == tokens.size()) {
      throw new RegenException.NotFound("there is no token of that name; see 'regen token ls'");
    }
    write(next);
  }

  /**
   * Whose token it is, if it is one. What is compared are digests, all of them each time: how long
   * this takes tells nothing of any token.
   */
  synchronized @Nullable Token find(String secret) throws IOException {
    refresh();
    byte[] digest = Secrets.sha256(secret).getBytes(StandardCharsets.US_ASCII);
    Token found = null;
    for (Token token : tokens) {
      if (MessageDigest.isEqual(digest, token.sha256().getBytes(StandardCharsets.US_ASCII))) {
        found = token;
      }
    }
    return found == null || found.hasExpired(clock.instant()) ? null : found;
  }

  private void write(List<Token> next) throws IOException {
    JsonObject json = new JsonObject().with("tokens", next.stream().map(Token::json).toList());
    new Records(disk).replace(file, (json + "\n").getBytes(StandardCharsets.UTF_8));
    tokens = next;
    seen = Fd.statIfThere(file);
  }

  private void refresh() throws IOException {
    Stat now = Fd.statIfThere(file);
    if (Objects.equals(now, seen)) {
      return;
    }
    // If it cannot be read, what it said before does not hold either: somebody may have been
    // removed.
    tokens = List.of();
    try {
      tokens = read();
      seen = now;
    } catch (IOException | IllegalArgumentException e) {
      LOG.warn("no token is valid, as {} cannot be read: {}", file, Why.of(e));
      throw new RegenException.Damaged(file + " is no file of tokens: " + Why.of(e));
    }
  }

  private List<Token> read() throws IOException {
    List<Token> read = new ArrayList<>();
    try {
      for (JsonObject one : JsonObject.parse(disk.read(file, FILE_BYTES_MAX)).objects("tokens")) {
        read.add(Token.of(one));
      }
    } catch (NoSuchFileException e) {
      return List.of();
    }
    if (read.size() > COUNT_MAX) {
      throw new IOException("it has more than " + COUNT_MAX + " tokens");
    }
    return List.copyOf(read);
  }
}
