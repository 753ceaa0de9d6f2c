package dev.regen.e2e;

import org.junit.jupiter.api.Tag;

/** {@link RestoreEngineTest} on Docker 28 with its containerd store. */
@EngineTest(Place.Docker28.class)
@Tag("long")
final class RestoreDocker28Test extends RestoreEngineTest {
  RestoreDocker28Test(Host host) {
    super(host);
  }
}
