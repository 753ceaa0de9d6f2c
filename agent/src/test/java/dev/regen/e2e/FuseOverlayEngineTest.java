package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A storage driver whose roots Regen does not keep: containers run as without it, and it is said.
 */
@EngineTest(storageDriver = "fuse-overlayfs")
final class FuseOverlayEngineTest {
  private final Host host;

  FuseOverlayEngineTest(Host host) {
    this.host = host;
  }

  @BeforeAll
  static void driverIsThere() {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/fuse-overlayfs")), "needs fuse-overlayfs");
  }

  @Test
  void containersRunAsWithoutRegenAndItIsSaid() throws IOException, InterruptedException {
    assertThat(host.desk("desk", "echo 1 >/root/n; cat /root/n; exit 3").code()).isEqualTo(3);

    assertThat(host.desk("desk", "rm /lower/deleted; ls -A /root /lower").ok())
        .isEqualTo("/lower:\nkept\n\n/root:");
    assertThat(host.regen("events").ok())
        .contains("starts without its kept state", "of type fuse.fuse-overlayfs");
    assertThat(host.regen("doctor").out())
        .contains("with fuse-overlayfs Regen cannot tell what a container wrote");
    assertThat(host.docker("ps", "-aq").ok()).isEmpty();
  }

  @Test
  void containerThatWantsItsStateDoesNotStart() throws IOException, InterruptedException {
    Command.Result refused =
        host.docker(
            "run",
            "--runtime=regen",
            "--rm",
            "--label=regen.on-failure=refuse",
            "--network=none",
            "--name=careful",
            Host.IMAGE,
            "true");

    assertThat(refused.code()).isNotZero();
    assertThat(refused.err()).contains("is not started", "of type fuse.fuse-overlayfs");
  }
}
