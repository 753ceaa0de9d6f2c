package dev.regen.agent.fleet;

import dev.regen.agent.api.Principal;
import dev.regen.agent.api.ProblemException;
import dev.regen.agent.api.Role;
import dev.regen.agent.api.Secrets;
import dev.regen.agent.fleet.db.Readers;
import dev.regen.agent.fleet.db.Session;
import dev.regen.agent.fleet.db.Writer;
import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.sql.SQLException;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import org.jspecify.annotations.Nullable;

/**
 * Who asks: an operator with a token, or a node with the token or the certificate that bears its
 * name. A node that says another name is refused, and an alarm is raised.
 */
public final class FleetCallers {
  private static final Pattern OF_NODE = Pattern.compile("/v1/nodes/([^/]+)/(?:messages|reports)");
  private static final String BEARER = "Bearer ";
  private static final int KNOWN_MAX = 20_000;
  private static final int DNS_NAME = 2;
  private static final String NODE = "node:";

  private final Readers readers;
  private final Writer writer;
  private final Map<String, Holder> known = new ConcurrentHashMap<>();
  private final AtomicLong forgotten = new AtomicLong();

  /** Whose a token is. */
  private record Holder(String name, @Nullable Role role) {}

  FleetCallers(Readers readers, Writer writer) {
    this.readers = readers;
    this.writer = writer;
  }

  /** Tokens have changed. */
  void forget() {
    forgotten.incrementAndGet();
    known.clear();
  }

  /**
   * The sender of a request.
   *
   * @param authorization the header, null if there is none
   * @param certificates of the client, its own first, that were checked; empty if it has none
   * @throws ProblemException UNAUTHORIZED if nobody knows it, FORBIDDEN if it is somebody else
   */
  public Principal of(
      String path, @Nullable String authorization, List<X509Certificate> certificates)
      throws IOException, InterruptedException {
    Holder holder = holder(authorization);
    Matcher matcher = OF_NODE.matcher(path);
    if (matcher.matches()) {
      return node(matcher.group(1), holder, certificates);
    }
    if (holder == null) {
      throw new ProblemException(
          Failure.Code.UNAUTHORIZED,
          authorization == null
              ? "say who you are: Authorization: Bearer TOKEN"
              : "nobody has this token");
    }
    Role role = holder.role();
    if (role == null) {
      throw new ProblemException(
          Failure.Code.FORBIDDEN, "this is a node's token: it is for messages and reports alone");
    }
    return new Principal(holder.name(), role);
  }

  private Principal node(String name, @Nullable Holder holder, List<X509Certificate> certificates)
      throws IOException, InterruptedException {
    Set<String> names = names(certificates);
    if (holder != null && holder.role() == null) {
      names = Set.of(holder.name());
    } else if (holder != null) {
      throw new ProblemException(
          Failure.Code.FORBIDDEN, "this is an operator's token: nodes have their own");
    }
    if (names.isEmpty()) {
      throw new ProblemException(
          Failure.Code.UNAUTHORIZED,
          "say who you are, with the token of the node or a certificate");
    }
    if (!names.contains(name)) {
      forged(name, names);
      throw new ProblemException(
          Failure.Code.FORBIDDEN, String.join(", ", names) + " may not speak for another node");
    }
    return new Principal(NODE + name, Role.VIEW);
  }

  private void forged(String said, Set<String> names) throws IOException, InterruptedException {
    String shown = Names.isName(said) ? said : "a name that is none";
    String holder = String.join(", ", names);
    writer.write(edit -> {
      Alarms.raise(
          edit,
          Alarms.FORGED_NAME,
          holder,
          shown,
          true,
          new JsonObject()
              .with("said", shown)
              .with("message", holder + " said that it was " + shown));
      return true;
    });
  }

  private @Nullable Holder holder(@Nullable String authorization)
      throws IOException, InterruptedException {
    if (authorization == null || !authorization.startsWith(BEARER)) {
      return null;
    }
    String hash = Secrets.sha256(authorization.substring(BEARER.length()).strip());
    Holder holder = known.get(hash);
    if (holder != null) {
      return holder;
    }
    long before = forgotten.get();
    Optional<Holder> found = readers.read(session -> find(session, hash));
    if (found.isPresent()) {
      if (known.size() >= KNOWN_MAX) {
        known.clear();
      }
      known.put(hash, found.get());
      if (forgotten.get() != before) {
        known.remove(hash); // It may have been taken away since it was read.
      }
    }
    return found.orElse(null);
  }

  private static Optional<Holder> find(Session session, String hash) throws SQLException {
    Optional<Holder> operator =
        session.one(
            row -> new Holder(row.text("name"), Role.of(row.text("role"))),
            "SELECT name, role FROM tokens WHERE hash = ?",
            hash);
    return operator.isPresent()
        ? operator
        : session.one(
            row -> new Holder(row.text("name"), null),
            "SELECT name FROM nodes WHERE token_hash = ?",
            hash);
  }

  private static Set<String> names(List<X509Certificate> certificates) {
    Set<String> names = new LinkedHashSet<>();
    if (certificates.isEmpty()) {
      return names;
    }
    X509Certificate own = certificates.getFirst();
    try {
      new LdapName(own.getSubjectX500Principal().getName())
          .getRdns().stream()
              .filter(rdn -> rdn.getType().equalsIgnoreCase("CN"))
              .forEach(rdn -> names.add(String.valueOf(rdn.getValue())));
      Collection<List<?>> others = own.getSubjectAlternativeNames();
      if (others != null) {
        for (List<?> other : others) {
          if (Integer.valueOf(DNS_NAME).equals(other.get(0))) {
            names.add(String.valueOf(other.get(1)));
          }
        }
      }
    } catch (InvalidNameException | CertificateParsingException e) {
      return Set.of();
    }
    return names;
  }
}
