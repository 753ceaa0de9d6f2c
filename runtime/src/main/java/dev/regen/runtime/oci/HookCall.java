package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import java.nio.file.Path;

/**
 * One call of the engine to its OCI runtime, as the {@code sh} front understood it.
 *
 * @param bundle the directory with {@code config.json}; for {@code delete} the one of the record
 * @param runcRoot where runc keeps its state ({@code --root})
 * @param force {@code delete --force}
 */
public record HookCall(
    Verb verb, ContainerId container, Path bundle, Path runcRoot, boolean force) {
  /** What the front asks. */
  public enum Verb {
    /** Before {@code runc create}. */
    CREATE,
    /** After {@code runc create} failed. */
    CREATE_FAILED,
    /** Before {@code runc delete}. */
    DELETE
  }

  private static final int FIELDS = 5;

  /** Reads the tab-separated fields {@code verb, container, bundle, runcRoot, force}. */
  public static HookCall parse(String[] fields) {
    if (fields.length != FIELDS) {
      throw new IllegalArgumentException("a hook call has 5 fields, not " + fields.length);
    }
    Verb verb =
        switch (fields[0]) {
          case "create" -> Verb.CREATE;
          case "create-failed" -> Verb.CREATE_FAILED;
          case "delete" -> Verb.DELETE;
          default -> throw new IllegalArgumentException("no hook call: " + fields[0]);
        };
    return new HookCall(
        verb,
        new ContainerId(fields[1]),
        Path.of(fields[2].isEmpty() ? "/" : fields[2]),
        Path.of(fields[3].isEmpty() ? "/run/runc" : fields[3]),
        fields[4].equals("force"));
  }
}
