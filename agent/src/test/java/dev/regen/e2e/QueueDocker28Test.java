package dev.regen.e2e;

import org.junit.jupiter.api.Tag;

/** {@link QueueEngineTest} on Docker 28 with its containerd store. */
@EngineTest(Place.Docker28.class)
@Tag("long")
final class QueueDocker28Test extends QueueEngineTest {
  QueueDocker28Test(Host host) {
    super(host);
  }
}
