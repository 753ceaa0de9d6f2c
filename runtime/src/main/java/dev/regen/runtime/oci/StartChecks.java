package dev.regen.runtime.oci;

import dev.regen.runtime.oci.Notices.Kind;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;

/** What a user should know when a run begins, and not only when it is too late. */
final class StartChecks {
  private final Spool spool;
  private final NextTrees nextTrees;
  private final Notices notices;

  StartChecks(Spool spool, NextTrees nextTrees, Notices notices) {
    this.spool = spool;
    this.nextTrees = nextTrees;
    this.notices = notices;
  }

  /** Says at the start already that the end will not be kept in order. */
  void spool(ContainerSettings settings) throws IOException {
    try {
      spool.probe();
    } catch (IOException e) {
      String what = "the spool takes no jobs: " + RuntimeExtension.why(e);
      if (settings.onFailure() == ContainerSettings.OnFailure.REFUSE) {
        throw new IOException(what, e);
      }
      notices.tell(Kind.FAILED, settings.queue(), what + "; layers wait in staging until it does");
    }
  }

  /**
   * A layer that waits because its queue is damaged must not hide that from who asked to be told.
   */
  void queue(ContainerSettings settings) throws IOException {
    try {
      nextTrees.check(settings.queue());
    } catch (IOException e) {
      if (settings.onFailure() == ContainerSettings.OnFailure.REFUSE) {
        throw e;
      }
      notices.tell(Kind.FAILED, settings.queue(), RuntimeExtension.why(e));
    }
  }

  /** A misspelt label must not look as if it had been obeyed. */
  void labels(Container container) {
    Set<String> labels = new HashSet<>(container.bundle().annotations().keySet());
    labels.addAll(container.engine().labels().keySet());
    for (String words : LabelNames.unknown(labels)) {
      notices.tell(
          Kind.UNKNOWN_LABEL,
          container.settings().queue(),
          "container " + container.name() + " " + words);
    }
  }

  void volumes(Container container) {
    if (container.engine().autoRemove() && !container.engine().anonymousVolumes().isEmpty()) {
      notices.tell(
          Kind.NOT_HELD,
          container.settings().queue(),
          "container "
              + container.name()
              + " has anonymous volumes at "
              + String.join(", ", container.engine().anonymousVolumes())
              + ": --rm throws them away and no snapshot holds them; name them to keep them");
    }
  }
}
