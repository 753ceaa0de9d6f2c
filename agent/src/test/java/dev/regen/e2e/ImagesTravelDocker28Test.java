package dev.regen.e2e;

import org.junit.jupiter.api.Tag;

/** {@link ImagesTravelEngineTest} between two engines of Docker 28 with its containerd store. */
@EngineTest(Place.Docker28.class)
@Tag("long")
final class ImagesTravelDocker28Test extends ImagesTravelEngineTest {
  ImagesTravelDocker28Test(Host host) {
    super(host);
  }

  @Override
  Place place() {
    return new Place.Docker28();
  }

  /** That store does not tell which layers it has. */
  @Override
  String ofLayersThatAreHere() {
    return "2 of 2 layers fetched";
  }
}
