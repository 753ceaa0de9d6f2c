package dev.regen.agent.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/**
 * What goes to or comes from a store: {@code QUEUE[@S]} or an image. A queue's name has neither a
 * colon nor a slash, so what has one before an {@code @} is an image; {@code --image} says so of
 * any name.
 */
final class Travelling {
  private static final String IMAGE = "[a-zA-Z0-9][a-zA-Z0-9_.:/@-]{0,254}";

  @Parameters(
      index = "0",
      paramLabel = "QUEUE[@S] | IMAGE",
      description = {
        "A snapshot, by default the latest; or an image, NAME:TAG or with a '/' in its name (other"
            + " names and ids: --image)."
      })
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String text;

  @Option(names = "--image", description = "What is named is an image, not a queue.")
  private boolean image;

  @Option(names = "--no-image", description = "Leave out the image that the snapshot lies on.")
  private boolean noImage;

  @Spec(Spec.Target.MIXEE)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  /** The image that is meant, null for a queue. */
  @Nullable String image() {
    String name = imageOf(spec, text, image);
    if (name != null && noImage) {
      throw wrong(spec, "--no-image goes with a queue, and '" + text + "' is an image");
    }
    return name;
  }

  /** The queue and snapshot that are meant, where it is no {@link #image}. */
  QueueAddress queue() {
    return queueOf(spec, text);
  }

  /**
   * The image that a command's parameter means, null for a queue.
   *
   * @param image whether it was said that it is one
   */
  static @Nullable String imageOf(CommandSpec spec, String text, boolean image) {
    int at = text.indexOf('@');
    String name = at < 0 ? text : text.substring(0, at);
    if (!image && !name.contains(":") && !name.contains("/")) {
      return null;
    }
    if (!text.matches(IMAGE)) {
      throw wrong(spec, "'" + text + "' is no image's name or id");
    }
    return text;
  }

  /** The queue and snapshot that it means, where it is no {@link #imageOf}. */
  static QueueAddress queueOf(CommandSpec spec, String text) {
    try {
      return new QueueAddress.Converter().convert(text);
    } catch (TypeConversionException e) {
      throw wrong(spec, String.valueOf(e.getMessage()));
    }
  }

  boolean withoutImage() {
    return noImage;
  }

  /** Refuses an option that images do not have. */
  void requireQueue(boolean asked, String why) {
    if (asked && image() != null) {
      throw wrong(spec, why);
    }
  }

  private static ParameterException wrong(CommandSpec spec, String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
