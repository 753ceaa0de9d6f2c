package dev.regen.runtime.oci;

/** What the front is to do. */
public sealed interface Answer {
  /** Hand the call on to runc. */
  record Go() implements Answer {}

  /** Not a container of ours: hand the call on and ask no more. */
  record NotOurs() implements Answer {}

  /**
   * Do not start the container.
   *
   * @param message one line: what, why, what to do
   */
  record Refuse(String message) implements Answer {}

  /** One line for the front: {@code go}, {@code skip} or {@code refuse MESSAGE}. */
  default String line() {
    return switch (this) {
      case Go go -> "go";
      case NotOurs no -> "skip";
      case Refuse refuse -> "refuse " + refuse.message().replaceAll("\\p{Cntrl}", " ");
    };
  }
}
