package dev.regen.agent.host;

import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.Project;
import dev.regen.runtime.overlay.Staging;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What an engine says of itself, and what that means for Regen. */
final class EngineChecks {
  private static final Set<String> OVERLAY_DRIVERS = Set.of("overlay2", "overlayfs");

  private static final String FUSE_DRIVER = "fuse-overlayfs";

  private static final Set<String> COPYING_DRIVERS = Set.of("vfs", "btrfs");

  /** Where uppers are, below the data root: of the overlay2 driver, of the containerd store … */
  private static final List<List<String>> STORES =
      List.of(
          List.of("overlay2", "diff"),
          List.of("containerd/daemon/io.containerd.snapshotter.v1.overlayfs/snapshots", "fs"),
          List.of(FUSE_DRIVER, "diff"),
          List.of("vfs/dir", ""),
          List.of("btrfs/subvolumes", ""));

  private final Installation places;
  private final JsonObject info;

  EngineChecks(Installation places, JsonObject info) {
    this.places = places;
    this.info = info;
  }

  List<Check> all() {
    List<Check> checks = new ArrayList<>();
    checks.add(Doctor.attempt("runtime", this::runtime));
    checks.add(Doctor.attempt("storage driver", this::driver));
    checks.add(Doctor.attempt("rootless", this::rootless));
    checks.add(Doctor.attempt("staging", this::staging));
    checks.add(Doctor.attempt("control groups", this::cgroups));
    checks.add(Doctor.attempt("disk", () -> DiskRoom.check("disk for containers", dataRoot())));
    return checks;
  }

  private Check runtime() throws IOException {
    String path = Install.registeredPath(info);
    if (path == null) {
      return Check.wrong(
          "runtime", "the engine knows no runtime called regen", "regen install (as root)");
    }
    return path.equals(places.front().toString())
        ? Check.fits("runtime", "the engine runs regen from " + path)
        : Check.wrong(
            "runtime",
            "the engine runs regen from " + path,
            "regen install (as root) registers " + places.front());
  }

  private Check driver() throws IOException {
    String driver = info.string("Driver");
    if (OVERLAY_DRIVERS.contains(driver)) {
      return Check.fits("storage driver", driver + ": layers change places, whatever their size");
    }
    if (driver.equals(FUSE_DRIVER)) {
      return Check.fits(
          "storage driver",
          driver + ": what a container wrote is set aside at once, and put back file by file");
    }
    if (COPYING_DRIVERS.contains(driver)) {
      return Check.fits(
          "storage driver",
          driver
              + ": no writable layer; what a container wrote is found by comparing its root with"
              + " the image at each start and end, and put back file by file");
    }
    return Check.wrong(
        "storage driver",
        "with " + driver + " Regen cannot tell what a container wrote; nothing is kept",
        "set \"storage-driver\": \"overlay2\" in daemon.json (images have to be loaded again)");
  }

  private Check rootless() throws IOException {
    boolean rootless = info.strings("SecurityOptions").contains("name=rootless");
    return rootless
        ? Check.wrong(
            "rootless",
            "the engine runs without root, its overlays mark deletions in user.* attributes",
            "use an engine that runs as root")
        : Check.fits("rootless", "no: deletions are marked in the trusted form");
  }

  private Check staging() throws IOException {
    if (!Root.is()) {
      return Check.better("staging", "only root can try it", "sudo regen doctor");
    }
    Path upper = someUpper();
    if (upper == null) {
      return Check.better(
          "staging",
          "there is no layer yet below " + dataRoot() + " to try it with",
          "run a container, then look again");
    }
    if (!Staging.reaches(upper)) {
      return hasLimit(upper)
          ? Check.better(
              "staging",
              "there are layers with a size limit (a project quota): the state is copied into them"
                  + " at each start, and where the file system is not XFS out of them at each end",
              "leave the limit off where a start must be fast")
          : Check.better(
              "staging",
              "layers are mounts of their own: they are copied at each end and start, and an end"
                  + " that takes longer than 8 s to copy is not kept with --rm",
              "let the engine's layers lie in one file system");
    }
    return Check.fits(
        "staging",
        "a directory was renamed from " + Staging.of(upper).directory() + " to a layer and back");
  }

  private Check cgroups() throws IOException {
    String version = info.stringOrNull("CgroupVersion");
    return Check.fits(
        "control groups",
        "version " + (version == null ? "1" : version) + ", " + info.stringOrNull("CgroupDriver"));
  }

  private Path dataRoot() throws IOException {
    return Path.of(info.string("DockerRootDir"));
  }

  private static boolean hasLimit(Path upper) throws IOException {
    return Project.of(upper) != Project.of(Staging.of(upper).directory());
  }

  /** One with a limit of its own, if there is any. */
  private @Nullable Path someUpper() throws IOException {
    Path some = null;
    for (List<String> store : STORES) {
      Path layers = dataRoot().resolve(store.getFirst());
      if (!Files.isDirectory(layers)) {
        continue;
      }
      try (DirectoryStream<Path> all = Files.newDirectoryStream(layers)) {
        for (Path layer : all) {
          Path upper = layer.resolve(store.getLast());
          if (Files.isDirectory(upper)) {
            if (Project.of(upper) != Project.NONE) {
              return upper;
            }
            some = some == null ? upper : some;
          }
        }
      }
    }
    return some;
  }
}
