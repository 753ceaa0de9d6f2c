package dev.regen.e2e;

/** Docker's storage driver vfs. */
@EngineTest(storageDriver = "vfs")
final class VfsEngineTest extends CopiedRoots {
  VfsEngineTest(Host host) {
    super(host);
  }
}
