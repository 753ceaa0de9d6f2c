package dev.regen.e2e;

import org.junit.jupiter.api.Tag;

/** {@link AfterTheRemountEngineTest} on Docker 28 with its containerd store. */
@EngineTest(Place.Docker28.class)
@Tag("long")
final class AfterTheRemountDocker28Test extends AfterTheRemountEngineTest {
  AfterTheRemountDocker28Test(Host host) {
    super(host);
  }
}
