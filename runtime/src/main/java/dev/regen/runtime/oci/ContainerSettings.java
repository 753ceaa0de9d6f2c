package dev.regen.runtime.oci;

import dev.regen.runtime.QueueName;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a container's labels ask of Regen.
 *
 * @param keep how many snapshots the queue holds, 1 to 1000
 * @param excludes paths from the container's root that no snapshot holds
 */
public record ContainerSettings(
    QueueName queue,
    int keep,
    List<String> excludes,
    OnFailure onFailure,
    OnImageChange onImageChange) {
  public static final int KEEP_DEFAULT = 5;
  public static final int KEEP_MAX = 1000;

  private static final int EXCLUDES_MAX = 1000;

  /** A character that elsewhere stands for others, unless a backslash says that it is meant. */
  private static final Pattern WILDCARD = Pattern.compile("(?<!\\\\)[*?\\[]");

  private static final Pattern MEANT = Pattern.compile("\\\\([*?\\[])");

  /** What happens when Regen cannot do its part at a start. */
  public enum OnFailure {
    /** The container starts all the same, and it is said. */
    RUN,
    /** The container does not start. */
    REFUSE
  }

  /** What happens when the image is another than the snapshot's. */
  public enum OnImageChange {
    /** The container starts clean. */
    FRESH,
    /** The snapshot is laid on the new image. */
    REBASE,
    /** The container does not start. */
    REFUSE
  }

  public ContainerSettings {
    excludes = List.copyOf(excludes);
  }

  /**
   * Reads the labels {@code regen.*}.
   *
   * @param name what a person called the container
   * @return null if the container has no queue
   * @throws BadLabelException if a label holds what it must not
   */
  public static @Nullable ContainerSettings of(Map<String, String> labels, String name)
      throws BadLabelException {
    String queue = labels.getOrDefault("regen.queue", name);
    if (queue.isEmpty()) {
      return null;
    }
    return new ContainerSettings(
        name(queue),
        keep(labels.get("regen.keep")),
        excludes(labels.get("regen.exclude")),
        oneOf(OnFailure.class, "regen.on-failure", labels, OnFailure.RUN),
        oneOf(OnImageChange.class, "regen.on-image-change", labels, OnImageChange.FRESH));
  }

  /** The paths that labels leave out, as far as these are right. */
  public static List<String> excluded(Map<String, ? extends @Nullable Object> labels) {
    return labels.get("regen.exclude") instanceof String label ? meant(paths(label)) : List.of();
  }

  private static QueueName name(String label) throws BadLabelException {
    try {
      return new QueueName(label);
    } catch (IllegalArgumentException e) {
      throw new BadLabelException("label regen.queue: " + e.getMessage());
    }
  }

  private static int keep(@Nullable String label) throws BadLabelException {
    if (label == null) {
      return KEEP_DEFAULT;
    }
    if (!label.matches("[1-9][0-9]{0,3}") || Integer.parseInt(label) > KEEP_MAX) {
      throw new BadLabelException(
          "label regen.keep: '" + label + "' is no number from 1 to " + KEEP_MAX);
    }
    return Integer.parseInt(label);
  }

  private static List<String> excludes(@Nullable String label) throws BadLabelException {
    if (label == null || label.isBlank()) {
      return List.of();
    }
    List<String> paths = paths(label);
    for (String path : paths) {
      if (!path.startsWith("/") || path.equals("/") || (path + "/").contains("/../")) {
        throw new BadLabelException(
            "label regen.exclude: '" + path + "' is no absolute path below the container's root");
      }
      if (WILDCARD.matcher(path).find()) {
        throw new BadLabelException(
            "label regen.exclude: '"
                + path
                + "' has a wildcard, and would leave nothing out; name each path, or a directory"
                + " above them (for a file whose name has that character: \\*, \\?, \\[)");
      }
    }
    if (paths.size() > EXCLUDES_MAX) {
      throw new BadLabelException("label regen.exclude: more than " + EXCLUDES_MAX + " paths");
    }
    return meant(paths);
  }

  private static List<String> meant(List<String> paths) {
    return paths.stream().map(path -> MEANT.matcher(path).replaceAll("$1")).toList();
  }

  private static List<String> paths(String label) {
    return Arrays.stream(label.split("[,:\n]", -1))
        .map(String::strip)
        .filter(path -> !path.isEmpty())
        .toList();
  }

  private static <E extends Enum<E>> E oneOf(
      Class<E> type, String label, Map<String, String> labels, E other) throws BadLabelException {
    String value = labels.get(label);
    if (value == null) {
      return other;
    }
    for (E constant : type.getEnumConstants()) {
      if (constant.name().toLowerCase(java.util.Locale.ROOT).equals(value)) {
        return constant;
      }
    }
    throw new BadLabelException(
        "label "
            + label
            + ": '"
            + value
            + "' is none of "
            + Arrays.stream(type.getEnumConstants())
                .map(constant -> constant.name().toLowerCase(java.util.Locale.ROOT))
                .collect(java.util.stream.Collectors.joining(", ")));
  }
}
