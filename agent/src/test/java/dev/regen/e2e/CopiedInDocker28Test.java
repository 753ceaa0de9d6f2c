package dev.regen.e2e;

import org.junit.jupiter.api.Tag;

/** {@link CopiedInEngineTest} on Docker 28 with its containerd store. */
@EngineTest(Place.Docker28.class)
@Tag("long")
final class CopiedInDocker28Test extends CopiedInEngineTest {
  CopiedInDocker28Test(Host host) {
    super(host);
  }
}
