package dev.regen.e2e;

import org.junit.jupiter.api.Tag;

/** Docker's storage driver btrfs. */
@Tag("long")
@EngineTest(storageDriver = "btrfs", fileSystem = "btrfs")
final class BtrfsEngineTest extends CopiedRoots {
  BtrfsEngineTest(Host host) {
    super(host);
  }
}
