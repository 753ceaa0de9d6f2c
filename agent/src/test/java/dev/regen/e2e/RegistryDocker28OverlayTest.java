package dev.regen.e2e;

import org.junit.jupiter.api.Tag;

/** {@link RegistryDocker28Test} with the layer store that engines had before. */
@EngineTest(Place.Docker28Overlay.class)
@Tag("long")
final class RegistryDocker28OverlayTest extends RegistryDocker28Test {
  RegistryDocker28OverlayTest(Host host) {
    super(host);
  }
}
