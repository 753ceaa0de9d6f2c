package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What holds on an engine where a state has to be put into a container's root file by file. */
abstract class CopiedRoots {
  /**
   * Of everything in the root but where the kernel mounts: type, owner, mode, links, time, name.
   */
  private static final String LISTING =
      "find / -xdev ! -path '/proc*' ! -path '/sys*' ! -path '/dev*' ! -path '/etc/*' ! -name .dockerenv ! -type d"
          + " -exec stat -c '%F %u:%g %a %h %s %y %n' {} + | sort; cat /root/* /lower/* 2>/dev/null";

  private final Host host;

  CopiedRoots(Host host) {
    this.host = host;
  }

  @Test
  void threeRunsEachSeeFilesDeletionsAndReplacementsOfTheOneBefore()
      throws IOException, InterruptedException {
    String first =
        host.desk(
                "copied",
                "echo 1 >/root/n; chown 7:7 /root/n; chmod 4750 /root/n; ln /root/n /root/again;"
                    + " mkdir -p /new/deep; echo x >/new/deep/x; ln -s /etc /link; mkfifo /fifo;"
                    + " rm /lower/deleted; rm -r /tmp; echo file >/tmp;"
                    + " rm /bin/yes; mkdir /bin/yes; touch /bin/yes/in;"
                    // fuse-overlayfs shows a written file's time exactly only where it was set.
                    + " touch -d @86400 /root/n /new/deep/x /tmp;"
                    + LISTING)
            .ok();

    String second = host.desk("copied", LISTING).ok();
    host.desk("copied", "rm /tmp /root/again; mkdir /tmp; echo 3 >/root/n").ok();
    String third =
        host.desk("copied", "cat /root/n; ls -d /tmp/ /root/*; ls /lower /new/deep").ok();

    assertThat(second).isEqualTo(first);
    assertThat(third).isEqualTo("3\n/root/n\n/tmp/\n/lower:\nkept\n\n/new/deep:\nx");
    List<JsonObject> snapshots = host.snapshots("copied");
    assertThat(snapshots).hasSize(2);
    assertThat(snapshots.getLast().string("reason")).isEqualTo("exited");
  }

  @Test
  void changeOfContentThatSetsItsTimeBackIsSeen() throws IOException, InterruptedException {
    host.desk(
            "sly",
            "cp -p /lower/kept /root/time; echo of thy image >/lower/kept;"
                + " touch -r /root/time /lower/kept; rm /root/time")
        .ok();

    assertThat(host.desk("sly", "cat /lower/kept").ok()).isEqualTo("of thy image");
  }

  @Test
  void runThatChangesNothingMakesNoSnapshotOfItsOwn() throws IOException, InterruptedException {
    host.desk("same", "echo 1 >/root/n").ok();
    List<JsonObject> before = host.snapshots("same");

    host.desk("same", "cat /root/n").ok();

    List<JsonObject> after = host.snapshots("same");
    assertThat(after).hasSize(1);
    assertThat(after.getFirst().string("id")).isEqualTo(before.getFirst().string("id"));
  }

  @Test
  void keptContainerGoesOnAndIsRestoredInPlace() throws IOException, InterruptedException {
    keep("kept", "--init", "test -e /root/n || echo 1 >/root/n; sleep 1000");
    host.docker("stop", "-t", "5", "kept").ok();
    assertThat(host.snapshots("kept")).hasSize(1);
    host.docker("start", "kept").ok();
    host.docker("exec", "kept", "sh", "-c", "echo 2 >/root/n; rm /lower/kept; mkdir /later").ok();
    String id = host.docker("inspect", "-f", "{{.Id}}", "kept").ok();

    host.regen("restore", "kept").ok();

    assertThat(host.docker("inspect", "-f", "{{.Id}}", "kept").ok()).isEqualTo(id);
    assertThat(
            host.docker("exec", "kept", "sh", "-c", "cat /root/n; ls -d /lower/kept /later; true")
                .ok())
        .isEqualTo("1\n/lower/kept");
    assertThat(host.snapshots("kept")).hasSize(2);
    host.docker("stop", "-t", "5", "kept").ok();
    assertThat(host.snapshots("kept")).hasSize(3);
    host.regen("restore", "kept", "--at", "-1", "--no-start").ok();
    host.docker("start", "kept").ok();
    assertThat(host.docker("exec", "kept", "cat", "/root/n").ok()).isEqualTo("2");
    host.docker("rm", "-f", "kept").ok();
    assertThat(host.desk("kept", "cat /root/n").ok()).isEqualTo("2");
  }

  @Test
  void runningContainerIsCaptured() throws IOException, InterruptedException {
    keep("busy", "--rm", "echo 1 >/root/n; sleep 1000");
    Host.await("the file", () -> host.docker("exec", "busy", "cat", "/root/n").code() == 0);

    host.regen("capture", "busy", "--wait").ok();

    assertThat(host.snapshots("busy")).hasSize(1);
    host.docker("rm", "-f", "busy").ok();
  }

  @Test
  void copiedInBeforeTheFirstStartGoesOverTheState() throws IOException, InterruptedException {
    host.desk("mixed", "echo 1 >/root/n; echo 1 >/root/m").ok();
    host.docker(
            "create",
            "--runtime=regen",
            "--rm",
            "--network=none",
            "--name=mixed",
            Host.IMAGE,
            "sh",
            "-c",
            "cat /root/n /root/m")
        .ok();
    host.docker("cp", "/etc/hostname", "mixed:/root/n").ok();

    String said = host.docker("start", "-a", "mixed").ok();

    assertThat(said)
        .isEqualTo(
            java.nio.file.Files.readString(java.nio.file.Path.of("/etc/hostname")).strip() + "\n1");
  }

  @Test
  void containerThatDoesNotBeginIsAsItWas() throws IOException, InterruptedException {
    host.desk("never", "echo 1 >/root/n").ok();
    host.snapshots("never");
    host.docker(
            "create", "--runtime=regen", "--network=none", "--name=never", Host.IMAGE, "/absent")
        .ok();
    assertThat(host.docker("start", "never").code()).isNotZero();

    assertThat(host.docker("diff", "never").ok()).isEmpty();

    host.docker("rm", "never").ok();
    assertThat(host.desk("never", "cat /root/n").ok()).isEqualTo("1");
    assertThat(host.snapshots("never")).hasSize(1);
  }

  private void keep(String name, String option, String script)
      throws IOException, InterruptedException {
    host.docker(
            "run",
            "-d",
            "--runtime=regen",
            option,
            "--network=none",
            "--name=" + name,
            Host.IMAGE,
            "sh",
            "-c",
            script)
        .ok();
  }
}
