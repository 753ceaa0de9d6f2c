package dev.regen.e2e;

import org.junit.jupiter.api.Tag;

/** {@link EmptyImageEngineTest} on Docker 28 with its containerd store. */
@EngineTest(Place.Docker28.class)
@Tag("long")
final class EmptyImageDocker28Test extends EmptyImageEngineTest {
  EmptyImageDocker28Test(Host host) {
    super(host);
  }
}
