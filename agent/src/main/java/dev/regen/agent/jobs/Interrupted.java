package dev.regen.agent.jobs;

/** What it means for somebody's data that the agent ended in the middle of an operation. */
final class Interrupted {
  private Interrupted() {}

  /** For a person: what is the case now, and what to do. */
  static String words(String kind) {
    return "the agent ended while it ran; " + after(kind);
  }

  private static String after(String kind) {
    return switch (kind) {
      case "archive" -> "the state is kept, and archived again";
      case "capture" ->
          "the queue holds the new snapshot whole or not at all ('regen ls QUEUE' says which);"
              + " capture again";
      case "restore" ->
          "no state is lost, and the container is as it was or as it was to be; look with"
              + " 'regen events', then restore again if it is not";
      case "push", "pull" -> "run it again; it goes on where it was";
      case "collect", "rebalance", "remove" ->
          "nothing that is needed is lost, and it may be done in part; run it again for the rest";
      case "encrypt", "decrypt" ->
          "each snapshot is as it was or done; run it again for those that are left";
      case "verify" -> "what it had mended is mended, and nothing else has changed; run it again";
      case "mount" -> "nothing is mounted; run it again";
      case "import" ->
          "the queue holds the layer whole or not at all ('regen ls QUEUE' says which); import"
              + " again";
      default -> "it may be done, in part or as a whole; look, then ask again if it is not";
    };
  }
}
