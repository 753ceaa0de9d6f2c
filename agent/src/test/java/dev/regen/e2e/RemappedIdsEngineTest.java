package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** An engine with {@code userns-remap}: root in a container is another user on the host. */
@EngineTest(Place.RemappedIds.class)
final class RemappedIdsEngineTest {
  private static final String LOOK = "stat -c '%u:%g %a %n' /root /root/n /of7 /link /lower/kept";
  private static final String SEEN =
      "0:0 755 /root\n0:0 4750 /root/n\n7:7 755 /of7\n7:8 777 /link\n0:0 644 /lower/kept";

  private final Host host;

  RemappedIdsEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void runsSeeTheirOwnIdsAndTheArchiveHoldsThoseOfTheContainer()
      throws IOException, InterruptedException {
    write("desk");

    assertThat(host.desk("desk", LOOK + "; ls /lower; cat /proc/self/uid_map").ok())
        .startsWith(SEEN + "\nkept\n")
        .contains(String.valueOf(Place.RemappedIds.FIRST_ID));
    assertThat(host.snapshots("desk")).hasSize(1);
    Path tar = host.shared().resolve("desk.tar");
    host.regen("export", "desk@latest", "-o", tar.toString()).ok();
    assertThat(Command.run(Map.of(), "tar", "--numeric-owner", "-tvf", tar.toString()).ok())
        .containsPattern("0/0 .* root/n")
        .containsPattern("7/7 .* of7/")
        .containsPattern("7/8 .* link ->")
        .doesNotContain(" 2000");
  }

  @Test
  void runWithoutTheMappingSeesTheSameIds() throws IOException, InterruptedException {
    write("both");
    host.snapshots("both");

    String said =
        host.docker(
                "run",
                "--runtime=regen",
                "--rm",
                "--userns=host",
                "--network=none",
                "--name=both",
                Host.IMAGE,
                "sh",
                "-c",
                "stat -c '%u:%g %n' /root/n /of7")
            .ok();

    assertThat(said).isEqualTo("0:0 /root/n\n7:7 /of7");
    assertThat(host.desk("both", LOOK).ok()).isEqualTo(SEEN);
  }

  @Test
  void stateThatARestoreChoseHasItsIds() throws IOException, InterruptedException {
    write("chosen");
    host.desk("chosen", "rm -r /of7; chown 9:9 /root/n").ok();
    assertThat(host.snapshots("chosen")).hasSize(2);

    host.regen("restore", "chosen", "--at", "-1").ok();

    assertThat(host.desk("chosen", LOOK).ok()).isEqualTo(SEEN);
  }

  @Test
  void keptContainerIsRestoredInPlaceWithItsIds() throws IOException, InterruptedException {
    host.docker(
            "run",
            "-d",
            "--init",
            "--runtime=regen",
            "--network=none",
            "--name=kept",
            Host.IMAGE,
            "sh",
            "-c",
            "test -e /root/n || (echo 1 >/root/n; chown 7:7 /root/n); sleep 1000")
        .ok();
    Host.await("the file", () -> host.docker("exec", "kept", "cat", "/root/n").code() == 0);
    host.docker("stop", "-t", "5", "kept").ok();
    assertThat(host.snapshots("kept")).hasSize(1);
    host.docker("start", "kept").ok();
    host.docker("exec", "kept", "sh", "-c", "rm /root/n; chown 9:9 /lower").ok();

    host.regen("restore", "kept").ok();

    assertThat(host.docker("exec", "kept", "stat", "-c", "%u:%g %n", "/root/n", "/lower").ok())
        .isEqualTo("7:7 /root/n\n0:0 /lower");
    host.docker("rm", "-f", "kept").ok();
  }

  private void write(String queue) throws IOException, InterruptedException {
    host.desk(
            queue,
            "echo 1 >/root/n; chmod 4750 /root/n; mkdir /of7; chown 7:7 /of7;"
                + " ln -s x /link; chown -h 7:8 /link; rm /lower/deleted")
        .ok();
  }
}
