package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;

/**
 * A kept container with files of several groups, each run of which prints how many runs before it
 * have left a line and how many files there are, and adds a line.
 */
final class KeptContainer {
  private static final int FILES = 4 * 21;

  private static final String SCRIPT =
      """
      test -e /root/runs || for d in 1 2 3 4; do
        mkdir -p /data/$d; dd if=/dev/urandom of=/data/$d/big bs=2000k count=1 2>/dev/null
        for f in $(seq 20); do echo $d $f >/data/$d/$f; done
      done
      touch /root/runs
      wc -l </root/runs; find /data -type f | wc -l; echo $0 >>/root/runs
      """;

  private final Host host;
  private final String name;
  private int runs;

  /** Makes the container and lets it run for the first time. */
  KeptContainer(Host host, String name) throws IOException, InterruptedException {
    this.host = host;
    this.name = name;
    assertThat(run("run", "--runtime=regen", "--network=none", "--name=" + name)).isEqualTo(seen());
    runs++;
  }

  /** Runs it again and looks whether all is there. */
  void run(String when) throws IOException, InterruptedException {
    assertThat(host.docker("start", "-a", name).ok()).as(when).isEqualTo(seen());
    runs++;
  }

  /** Removes the container; another takes its name and queue, and begins from it or without it. */
  String again() throws IOException, InterruptedException {
    host.docker("rm", name).ok();
    return run("run", "--runtime=regen", "--network=none", "--name=" + name);
  }

  /** What the next run is to see. */
  String seen() {
    return runs + "\n" + FILES;
  }

  /** Whether each snapshot of its queue can be read and has every file. */
  void assertSnapshotsAreWhole(String when) throws IOException, InterruptedException {
    List<JsonObject> snapshots = host.snapshots(name);
    assertThat(host.regen("verify", name).code()).as(when).isZero();
    long entries = snapshots.getFirst().number("entries");
    assertThat(entries).as(when).isGreaterThan(FILES);
    for (JsonObject snapshot : snapshots) {
      assertThat(snapshot.number("entries")).as("%s: %s", when, snapshot).isEqualTo(entries);
    }
  }

  private String run(String... options) throws IOException, InterruptedException {
    List<String> words = new java.util.ArrayList<>(List.of(options));
    words.addAll(List.of(Host.IMAGE, "sh", "-c", SCRIPT));
    return host.docker(words.toArray(String[]::new)).ok();
  }
}
