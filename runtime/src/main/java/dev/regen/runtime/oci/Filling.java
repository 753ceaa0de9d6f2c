package dev.regen.runtime.oci;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.RunRecord.Placed;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.ContainerRoot;
import dev.regen.runtime.overlay.Fill;
import dev.regen.runtime.overlay.FuseUnion;
import dev.regen.runtime.overlay.LaidOver;
import dev.regen.runtime.overlay.LinkedTree;
import dev.regen.runtime.overlay.PlainRoot;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.runtime.overlay.UnionMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Puts a layer tree into a root file by file, and takes it out again: where there is no upper, or a
 * union that cannot be mounted a second time.
 *
 * <p>The record with the intent is on the disk first. What the root holds already ({@code docker
 * cp}) is found by comparison and kept beside the tree; so wherever this was stopped, the root can
 * be made again from the layer below and what it held.
 */
final class Filling implements TreePlacement {
  /** The front waits two minutes for a start. */
  private static final Duration LIMIT = Duration.ofSeconds(90);

  private static final Path DROP_CACHES = Path.of("/proc/sys/vm/drop_caches");
  private static final String DENTRIES = "2";

  private final Disk disk;
  private final RunRecord record;
  private final ContainerRoot root;
  private final Placed placed;

  Filling(Disk disk, RunRecord record) {
    this.disk = disk;
    this.record = record;
    this.root = record.union();
    this.placed = Objects.requireNonNull(record.placed(), "no tree to place");
  }

  @Override
  public void moveIn() throws IOException {
    try {
      if (!placed.isAt(placed.placing())) {
        disk.rename(placed.origin(), placed.placing());
      }
      keepOwn();
      LaidOver.lay(placed.own(), placed.placing());
      Fill.apply(placed.placing(), seen(), true, LIMIT);
      if (placed.unarchived() == null) {
        // It can be built again, and its links would be seen in the container.
        TreeRemoval.remove(placed.placing());
      }
    } catch (IOException e) {
      try {
        takeOut(true);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  @Override
  public @Nullable Path moveOut() throws IOException {
    // The engine removes the root of a container with --rm that did not start.
    return takeOut(!record.autoRemove());
  }

  private @Nullable Path takeOut(boolean rootStays) throws IOException {
    if (Fd.statIfThere(placed.own()) != null) {
      if (rootStays && Fd.statIfThere(root.upper()) != null) {
        restoreRoot();
      }
      TreeRemoval.remove(placed.own());
    }
    if (placed.isAt(placed.placing())) {
      return placed.placing();
    }
    return placed.isAt(placed.origin()) ? placed.origin() : null;
  }

  /** From the moment that what the root holds has its name, the root may be changed. */
  private void keepOwn() throws IOException {
    if (Fd.statIfThere(placed.own()) != null) {
      return;
    }
    Path comparing = Staging.around(placed.own()).building();
    try {
      switch (root) {
        case PlainRoot plain -> plain.diff(comparing, LIMIT);
        case FuseUnion union -> union.link(comparing, LIMIT);
        case UnionMount union -> LinkedTree.make(union.upper(), comparing, LIMIT);
      }
      disk.rename(comparing, placed.own());
    } finally {
      TreeRemoval.remove(comparing);
    }
  }

  private void restoreRoot() throws IOException {
    switch (root) {
      case PlainRoot plain -> restorePlain(plain);
      case FuseUnion union -> {
        TreeRemoval.empty(union.upper());
        LaidOver.lay(placed.own(), union.upper());
      }
      case UnionMount union -> {
        TreeRemoval.empty(union.upper());
        LaidOver.lay(placed.own(), union.upper());
        // The union may still be looked at, and remembers what it has seen in its upper.
        Files.writeString(DROP_CACHES, DENTRIES);
      }
    }
  }

  private void restorePlain(PlainRoot plain) throws IOException {
    Path fresh = Staging.around(placed.own()).building();
    try {
      plain.fresh(fresh, LIMIT);
      Fill.apply(placed.own(), fresh, true, LIMIT);
      disk.exchange(fresh, plain.root());
    } finally {
      PlainRoot.remove(fresh);
    }
  }

  /** The root as the container will see it. */
  private Path seen() {
    return switch (root) {
      case PlainRoot plain -> plain.root();
      case FuseUnion union -> union.mountPoint();
      case UnionMount union -> union.mountPoint();
    };
  }
}
