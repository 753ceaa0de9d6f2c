package dev.regen.snapshot.image;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a person calls an image, as Docker shows it: {@code box:latest}, {@code
 * registry:5000/team/app:1.2}.
 */
public record ImageTag(String repository, String tag) {
  private static final int CHARACTERS_MAX = 255;
  private static final String PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
  private static final String HOST = "(?:localhost|[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)+)";
  private static final String DOMAIN = "(?:" + HOST + "(?::[0-9]{1,5})?|[A-Za-z0-9-]+:[0-9]{1,5})";
  private static final Pattern FORM =
      Pattern.compile(
          "((?:"
              + DOMAIN
              + "/)?"
              + PART
              + "(?:/"
              + PART
              + ")*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?");
  private static final Pattern USUAL =
      Pattern.compile("(?:index\\.)?docker\\.io/(?:library/)?(.+)");
  private static final Pattern LIKE_AN_ID = Pattern.compile("[0-9a-f]{64}");

  public ImageTag {
    if (tag.isEmpty() || !FORM.matcher(repository + ":" + tag).matches()) {
      throw new IllegalArgumentException("not an image's name");
    }
  }

  /** Reads a name; without a tag it is {@code latest}. Empty for a digest, an id, or nothing. */
  public static Optional<ImageTag> parse(String text) {
    if (text.length() > CHARACTERS_MAX || LIKE_AN_ID.matcher(text).matches()) {
      return Optional.empty();
    }
    Matcher usual = USUAL.matcher(text);
    Matcher parts = FORM.matcher(usual.matches() ? usual.group(1) : text);
    if (!parts.matches() || parts.group(1).equals("sha256")) {
      return Optional.empty();
    }
    String tag = parts.group(2);
    return Optional.of(new ImageTag(parts.group(1), tag == null ? "latest" : tag));
  }

  @Override
  public String toString() {
    return repository + ":" + tag;
  }
}
