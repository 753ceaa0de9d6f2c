package dev.regen.e2e;

/** Docker's storage driver btrfs. */
@EngineTest(storageDriver = "btrfs", fileSystem = "btrfs")
final class BtrfsEngineTest extends CopiedRoots {
  BtrfsEngineTest(Host host) {
    super(host);
  }
}
