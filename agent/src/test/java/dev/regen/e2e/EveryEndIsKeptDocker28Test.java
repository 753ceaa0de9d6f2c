package dev.regen.e2e;

import org.junit.jupiter.api.Tag;

/** {@link EveryEndIsKeptEngineTest} on Docker 28 with its containerd store. */
@EngineTest(Place.Docker28.class)
@Tag("long")
final class EveryEndIsKeptDocker28Test extends EveryEndIsKeptEngineTest {
  EveryEndIsKeptDocker28Test(Host host) {
    super(host);
  }
}
