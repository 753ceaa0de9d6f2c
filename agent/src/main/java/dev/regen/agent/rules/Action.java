package dev.regen.agent.rules;

import java.util.Locale;

/** What somebody may want to do with a queue, a snapshot, a container or a job. */
public enum Action {
  SHOW,
  DIFF,
  EXPORT,
  MOUNT,
  RESTORE,
  PUSH,
  PULL,
  PIN,
  UNPIN,
  REMOVE,
  ENCRYPT,
  DECRYPT,
  KEEP,
  VERIFY,
  CAPTURE,
  CANCEL;

  /** In answers of the API. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
