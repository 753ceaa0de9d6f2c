package dev.regen.agent.cli;

import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.TagName;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * {@code HOST/REPO:TAG}, the host with its port, as {@code docker} has it.
 *
 * @param host as a URL has it
 */
record ImageReference(String host, RepositoryName repository, TagName tag) {
  private static final Pattern FORM = Pattern.compile("([^/]+)/([^:@]+)(?::([^/:@]*))?");
  private static final Pattern HOST =
      Pattern.compile("(?:[a-zA-Z0-9.-]{1,253}|\\[[0-9a-fA-F:]{2,45}\\])(?::[0-9]{1,5})?");
  private static final Pattern LOOPBACK =
      Pattern.compile("(?:localhost|127(?:\\.[0-9]{1,3}){3}|\\[::1\\])(?::[0-9]{1,5})?");

  /** Whether that is this host itself. */
  boolean isLoopback() {
    return LOOPBACK.matcher(host).matches();
  }

  @Override
  public String toString() {
    return host + "/" + repository + ":" + tag;
  }

  /** Reads one from the command line; without a tag it is {@code latest}. */
  static final class Converter implements ITypeConverter<ImageReference> {
    @Override
    public ImageReference convert(String text) {
      Matcher form = FORM.matcher(text);
      if (!form.matches() || !isHost(form.group(1))) {
        throw new TypeConversionException(
            "'"
                + text.replaceAll("\\p{Cntrl}", "?")
                + "' names no manager: say HOST/REPO:TAG, as 127.0.0.1:5000/desk:today");
      }
      String tag = form.group(3) == null ? "latest" : form.group(3);
      try {
        return new ImageReference(
            form.group(1), new RepositoryName(form.group(2)), new TagName(tag));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }

    /** A first part without these is a part of the repository's name, of Docker's own registry. */
    private static boolean isHost(String text) {
      return HOST.matcher(text).matches()
          && (text.contains(".") || text.contains(":") || text.equals("localhost"));
    }
  }
}
