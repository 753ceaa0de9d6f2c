package dev.regen.agent.registry;

import dev.regen.agent.tcp.Exchange;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RepositoryName;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import org.eclipse.jetty.http.HttpHeader;
import org.jspecify.annotations.Nullable;

/**
 * Who may do what. A request bears a user's name and password, or a token that {@link
 * TokenResource} gave for these, or nothing: then it may what everybody may.
 */
final class Access {
  private static final String BASIC = "Basic ";
  private static final String BEARER = "Bearer ";
  private static final int HEADER_MAX = 16 << 10;
  private static final String LOG_IN_TO_LIST = "log in to list repositories";

  private final @Nullable Users users;
  private final Rules rules;
  private final Tokens tokens;
  private final @Nullable URI url;

  /** What can be allowed. */
  enum Right {
    PULL,
    PUSH,
    DELETE,
    /** To make images there of any snapshot in the store: who may can read all of these. */
    PUBLISH
  }

  /** What somebody may. */
  @FunctionalInterface
  interface Rights {
    boolean may(RepositoryName repository, Right right);
  }

  /** A name and its password. */
  record Credentials(String user, String password) {}

  /**
   * @param users null: everybody may everything
   * @param url how clients reach this server; null: as the request says
   */
  Access(@Nullable Users users, Rules rules, Tokens tokens, @Nullable URI url) {
    this.users = users;
    this.rules = rules;
    this.tokens = tokens;
    this.url = url;
  }

  /**
   * Lets a request pass; returns what else its sender may.
   *
   * @throws RegistryException UNAUTHORIZED if it bears nothing that suffices and more could help;
   *     DENIED if its sender may not do this
   */
  Rights check(Exchange exchange, Target target) throws IOException {
    if (users == null) {
      return (_, _) -> true;
    }
    Rights rights = rights(exchange, target);
    switch (target) {
      case Target.Base _ -> {
        // Clients ask here whether, and where, they must log in.
        if (isAnonymous(exchange)) {
          throw unauthorized(exchange, target, "log in first");
        }
      }
      case Target.Catalog _ -> {
        if (isAnonymous(exchange)) {
          throw unauthorized(exchange, target, LOG_IN_TO_LIST);
        }
      }
      case Target.InRepository in -> {
        Right wanted = wanted(exchange.method(), target);
        if (!rights.may(in.repository(), wanted)) {
          String why = "this needs the right to " + word(wanted) + " " + in.repository();
          if (isAnonymous(exchange) || mayWithAnotherToken(exchange, in.repository(), wanted)) {
            throw unauthorized(exchange, target, why);
          }
          throw new RegistryException(RegistryException.Code.DENIED, why);
        }
      }
    }
    return rights;
  }

  /** The rights of a user, or of everybody for null. */
  Rights of(@Nullable String user) {
    return (repository, right) -> rules.may(user, repository, right);
  }

  Tokens tokens() {
    return tokens;
  }

  /**
   * The name that a request's credentials prove; null if it bears none.
   *
   * @throws RegistryException UNAUTHORIZED if they are wrong
   */
  @Nullable String user(Exchange exchange) throws IOException {
    Credentials credentials = credentials(exchange);
    if (credentials == null || users == null) {
      return null;
    }
    users.check(credentials);
    return credentials.user();
  }

  private Rights rights(Exchange exchange, Target target) throws IOException {
    if (isBearer(exchange)) {
      return rights(exchange, target, header(exchange).substring(BEARER.length()));
    }
    if (!isAnonymous(exchange) && !bears(exchange, BASIC)) {
      throw unauthorized(exchange, target, "log in with a name and a password, or with a token");
    }
    try {
      return of(user(exchange));
    } catch (RegistryException e) {
      throw unauthorized(exchange, target, String.valueOf(e.getMessage()));
    }
  }

  /** What a token grants; repositories are listed to whom it was given, by his own rights. */
  private Rights rights(Exchange exchange, Target target, String token) throws IOException {
    Tokens.Content content = tokens.read(token.strip());
    if (content == null) {
      throw unauthorized(exchange, target, "the token is no longer valid");
    }
    if (target instanceof Target.Catalog) {
      if (content.user() == null) {
        throw unauthorized(exchange, target, LOG_IN_TO_LIST);
      }
      return of(content.user());
    }
    return (repository, right) ->
        content.grants().contains(new Tokens.Grant(repository.value(), right));
  }

  /** Whether somebody with a token that does not suffice would be given one that does. */
  private boolean mayWithAnotherToken(Exchange exchange, RepositoryName repository, Right wanted) {
    if (!isBearer(exchange)) {
      return false;
    }
    Tokens.Content content = tokens.read(header(exchange).substring(BEARER.length()).strip());
    return content == null || content.user() == null || of(content.user()).may(repository, wanted);
  }

  private static Right wanted(String method, Target target) {
    if (!RegistryHandler.isChange(method)) {
      return target instanceof Target.Upload ? Right.PUSH : Right.PULL;
    }
    if (target instanceof Target.Publish) {
      return Right.PUBLISH;
    }
    boolean upload = target instanceof Target.Upload;
    return method.equals("DELETE") && !upload ? Right.DELETE : Right.PUSH;
  }

  private RegistryException unauthorized(Exchange exchange, Target target, String why) {
    String scope =
        switch (target) {
          case Target.Base _ -> "";
          case Target.Catalog _ -> ",scope=\"registry:catalog:*\"";
          case Target.InRepository in ->
              ",scope=\""
                  + Tokens.scope(in.repository().value(), wanted(exchange.method(), target))
                  + "\"";
        };
    exchange.set(
        "WWW-Authenticate",
        "Bearer realm=\""
            + base(exchange)
            + TokenResource.PATH
            + "\",service=\""
            + Tokens.SERVICE
            + "\""
            + scope);
    return new RegistryException(RegistryException.Code.UNAUTHORIZED, why);
  }

  private String base(Exchange exchange) {
    if (url != null) {
      return url.toString().replaceAll("/+$", "");
    }
    var uri = exchange.request().getHttpURI();
    return uri.getScheme() + "://" + uri.getAuthority();
  }

  private static @Nullable Credentials credentials(Exchange exchange) throws RegistryException {
    if (!bears(exchange, BASIC)) {
      return null;
    }
    String header = header(exchange);
    String pair;
    try {
      pair =
          new String(
              Base64.getDecoder().decode(header.substring(BASIC.length()).strip()),
              StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new RegistryException(
          RegistryException.Code.UNAUTHORIZED, "the credentials are no Base64");
    }
    int colon = pair.indexOf(':');
    if (colon < 1) {
      throw new RegistryException(
          RegistryException.Code.UNAUTHORIZED, "credentials are NAME:PASSWORD");
    }
    return new Credentials(pair.substring(0, colon), pair.substring(colon + 1));
  }

  private static boolean isAnonymous(Exchange exchange) {
    return header(exchange).isEmpty();
  }

  private static boolean isBearer(Exchange exchange) {
    return bears(exchange, BEARER);
  }

  /** RFC 9110, section 11.1: the scheme's case means nothing. */
  private static boolean bears(Exchange exchange, String scheme) {
    return header(exchange).regionMatches(true, 0, scheme, 0, scheme.length());
  }

  private static String header(Exchange exchange) {
    String header = exchange.request().getHeaders().get(HttpHeader.AUTHORIZATION);
    return header == null || header.length() > HEADER_MAX ? "" : header;
  }

  static String word(Right right) {
    return right.name().toLowerCase(Locale.ROOT);
  }
}
