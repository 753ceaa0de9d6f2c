package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.PlainRoot;
import dev.regen.runtime.overlay.Staging;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Uppers that the front itself has put out of the engine's reach. At the end of a {@code --rm}
 * container the engine removes the upper, whatever becomes of a hook; so where no agent answers,
 * the front renames the upper first, and only then starts a process for the rest of the end.
 * Whoever comes next, after the death of any of them, finds the upper there.
 *
 * <p>{@code runs/CONTAINER/put-away} tells the front the upper and its new name, one a line; where
 * it is not there the upper stays. {@code over} is the front's mark, made right before the rename.
 */
final class PutAway {
  private static final String NAMES = "put-away";
  private static final String MARK = "over";

  private final RunRecords records;

  PutAway(RunRecords records) {
    this.records = records;
  }

  /** Tells the front what to do at the end of {@code run}, whose record is there. */
  void prepare(RunRecord run) throws IOException {
    Path names = records.own(run.container()).resolve(NAMES);
    Files.deleteIfExists(names);
    Path upper = run.union().upper();
    boolean renamed =
        run.autoRemove() && !(run.union() instanceof PlainRoot) && Staging.reaches(upper);
    String lines = upper + "\n" + Staging.of(upper).ended(run.container()) + "\n";
    if (renamed && lines.lines().count() == 2) {
      Files.writeString(names, lines);
    }
  }

  /** Where the upper of the container's last run is, if the front has put it away; else null. */
  @Nullable Path tree(ContainerId container) throws IOException {
    Path tree = name(container);
    return tree == null || Fd.statIfThere(tree) == null ? null : tree;
  }

  /** Where the front meant to put the upper, null if it never began to. */
  @Nullable Path name(ContainerId container) throws IOException {
    if (endedAt(container) == null) {
      return null;
    }
    try {
      byte[] bytes = Files.readAllBytes(records.own(container).resolve(NAMES));
      List<String> lines = new String(bytes, StandardCharsets.UTF_8).lines().toList();
      return lines.size() == 2 ? Path.of(lines.get(1)) : null;
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /** When the front began to put the upper away, null if it never did. */
  @Nullable Instant endedAt(ContainerId container) throws IOException {
    try {
      return Files.getLastModifiedTime(records.own(container).resolve(MARK)).toInstant();
    } catch (NoSuchFileException e) {
      return null;
    }
  }
}
