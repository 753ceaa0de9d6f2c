package dev.regen.snapshot.remote.s3;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a store in a bucket is: {@code
 * s3://BUCKET[/PREFIX]?endpoint=…&region=…&profile=…&ca-file=…}.
 *
 * @param prefix empty, or ends with a slash
 * @param endpoint of a service that is not AWS; null for AWS
 * @param region null for that of the environment or the profile
 * @param profile of the AWS configuration files; null for the usual one
 * @param trusted who has signed the service's certificate, in PEM; null for those whom Java or the
 *     environment's {@code AWS_CA_BUNDLE} trusts
 * @param oneWriter whether the user promises that no two hosts write at once
 */
public record BucketUrl(
    String bucket,
    String prefix,
    @Nullable URI endpoint,
    @Nullable String region,
    @Nullable String profile,
    @Nullable Path trusted,
    boolean oneWriter) {
  private static final Set<String> OPTIONS =
      Set.of("endpoint", "region", "profile", "ca-file", "writers");
  private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]");
  private static final Pattern PREFIX = Pattern.compile("([A-Za-z0-9_-][A-Za-z0-9._-]*/)*");
  private static final Pattern WORD = Pattern.compile("[A-Za-z0-9._-]{1,64}");
  private static final int PREFIX_MAX = 500;

  /**
   * Reads an address, {@code s3://BUCKET/PREFIX}, and its options.
   *
   * @throws IllegalArgumentException if it has no such form; the message says what of it
   */
  public static BucketUrl parse(String address, Map<String, String> options) {
    String rest = address.startsWith("s3://") ? address.substring("s3://".length()) : "";
    int slash = rest.indexOf('/');
    String bucket = slash < 0 ? rest : rest.substring(0, slash);
    String prefix = slash < 0 ? "" : rest.substring(slash + 1);
    prefix = prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/";
    require(
        BUCKET.matcher(bucket).matches(),
        "a bucket is named as in s3://BUCKET/PREFIX, in 3 to 63 of a-z, 0-9, '.', '-'");
    require(
        prefix.length() <= PREFIX_MAX && PREFIX.matcher(prefix).matches(),
        "a prefix is letters, digits and '._-', in parts with '/' between");
    for (String option : options.keySet()) {
      require(OPTIONS.contains(option), "s3: has no '" + option + "'; it has " + OPTIONS);
    }
    String writers = options.getOrDefault("writers", "many");
    require(writers.equals("one") || writers.equals("many"), "writers is one or many");
    return new BucketUrl(
        bucket,
        prefix,
        endpoint(options.get("endpoint")),
        word("region", options.get("region")),
        word("profile", options.get("profile")),
        file(options.get("ca-file")),
        writers.equals("one"));
  }

  /** The place, for messages. */
  String words() {
    return "s3://" + bucket + "/" + prefix + (endpoint == null ? "" : " at " + endpoint);
  }

  private static @Nullable URI endpoint(@Nullable String text) {
    if (text == null) {
      return null;
    }
    String form = "endpoint is http://HOST:PORT or https://HOST:PORT";
    URI uri;
    try {
      uri = URI.create(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(form, e);
    }
    require(
        ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
            && uri.getHost() != null
            && uri.getUserInfo() == null
            && uri.getQuery() == null
            && (uri.getPath().isEmpty() || uri.getPath().equals("/")),
        form);
    return uri;
  }

  private static @Nullable Path file(@Nullable String text) {
    require(text == null || text.startsWith("/"), "ca-file is an absolute path");
    return text == null ? null : Path.of(text);
  }

  private static @Nullable String word(String name, @Nullable String text) {
    require(text == null || WORD.matcher(text).matches(), name + " is letters, digits and '._-'");
    return text;
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }
}
