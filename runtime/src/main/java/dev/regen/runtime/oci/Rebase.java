package dev.regen.runtime.oci;

import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.Notices.Kind;
import dev.regen.runtime.overlay.BothChanged;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A state that is laid on another image than its own: says what both of them changed. */
final class Rebase {
  private static final Duration LIMIT = Duration.ofMillis(500);
  private static final int PATHS_MAX = 200;
  private static final int TOLD_MAX_CHARACTERS = 600;

  private final List<Path> dataRoots;
  private final Notices notices;

  Rebase(List<Path> dataRoots, Notices notices) {
    this.dataRoots = List.copyOf(dataRoots);
    this.notices = notices;
  }

  /**
   * Compares and tells; the run's specification holds the list afterwards, and with it every
   * snapshot of the run. Never fails: a list is not worth a start.
   *
   * @param tree the state, before it is the upper
   * @param imageBefore the state's own image
   */
  void tell(RunRecord run, Path tree, String imageBefore) {
    JsonObject rebase = new JsonObject().with("from", imageBefore);
    String what =
        "the state of "
            + run.queue()
            + " is laid on another image ("
            + shortened(run.facts().layer().imageId())
            + " instead of "
            + shortened(imageBefore)
            + "); ";
    try {
      List<Path> before = Overlay2Images.of(dataRoots, imageBefore);
      List<Path> after = image(run.union().lowers());
      if (after.isEmpty()) {
        what += "what both changed cannot be told: the image's layers are not on their own here";
      } else if (before == null) {
        what += "what both changed cannot be told: the old image's layers are not here any more";
      } else {
        BothChanged.Found found = BothChanged.find(tree, before, after, PATHS_MAX, LIMIT);
        rebase.with("bothChanged", found.paths()).with("cut", found.cut());
        what += words(found);
      }
    } catch (IOException e) {
      what += "what both changed cannot be told: " + RuntimeExtension.why(e);
    }
    notices.tell(Kind.REBASED, run.queue(), what);
    run.facts().layer().spec().with("rebase", rebase);
  }

  /** Docker's own layer for its mount points is none of the image's. */
  private static List<Path> image(List<Path> lowers) throws IOException {
    List<Path> image = new ArrayList<>();
    for (Path lower : lowers) {
      Path real = lower.toRealPath();
      Path layer = real.getParent();
      if (layer == null || !String.valueOf(layer.getFileName()).endsWith("-init")) {
        image.add(real);
      }
    }
    return image;
  }

  private static String words(BothChanged.Found found) {
    if (found.paths().isEmpty()) {
      return found.cut()
          ? "the search for what both changed was cut short"
          : "nothing was changed by both";
    }
    StringBuilder words = new StringBuilder("both changed, and the container's stays: ");
    int told = 0;
    for (String path : found.paths()) {
      if (words.length() + path.length() > TOLD_MAX_CHARACTERS) {
        break;
      }
      words.append(told++ == 0 ? "" : ", ").append(path);
    }
    if (told < found.paths().size() || found.cut()) {
      words
          .append(" and ")
          .append(found.cut() ? "perhaps more" : found.paths().size() - told + " more")
          .append("; 'regen show' has the list");
    }
    return words.toString();
  }

  private static String shortened(String imageId) {
    String hex = imageId.startsWith("sha256:") ? imageId.substring(7) : imageId;
    return hex.length() <= 12 ? hex : hex.substring(0, 12);
  }
}
