package dev.regen.e2e;

import org.junit.jupiter.api.Tag;

/** Docker's storage driver vfs. */
@Tag("long")
@EngineTest(storageDriver = "vfs")
final class VfsEngineTest extends CopiedRoots {
  VfsEngineTest(Host host) {
    super(host);
  }
}
