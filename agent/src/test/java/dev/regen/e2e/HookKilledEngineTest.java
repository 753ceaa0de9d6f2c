package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Kills the process that does a hook's work, with the agent down, before its n-th change to the
 * disk. With {@code -Dregen.crash.hook.stride=1} at each change, else at one in eleven.
 */
@EngineTest(hostPerTest = true)
final class HookKilledEngineTest {
  private static final int STRIDE = Integer.getInteger("regen.crash.hook.stride", 17);
  private static final int CHANGES_MAX = 200;

  private final Host host;

  HookKilledEngineTest(Host host) {
    this.host = host;
  }

  @ParameterizedTest
  @CsvSource({"create, --rm", "delete, --rm=false"})
  void nextHookGoesOnAndNoRunMissesAnything(String verb, String option)
      throws IOException, InterruptedException {
    killOneAtEachStep(verb, option);
  }

  @ParameterizedTest
  @CsvSource({"create, --rm=false", "delete, --rm"})
  @Tag("long")
  void nextHookGoesOnAlsoAtAStartOfAKeptContainerAndAnEndWithRm(String verb, String option)
      throws IOException, InterruptedException {
    killOneAtEachStep(verb, option);
  }

  @ParameterizedTest
  @CsvSource({"create, --rm", "create, --rm=false", "delete, --rm", "delete, --rm=false"})
  @Tag("long")
  void everyHookDiesAndTheNextRunHasTheLastGoodStateOrTheNewest(String verb, String option)
      throws IOException, InterruptedException {
    String written = firstRun();
    boolean killed = true;
    for (int crashAt = CrashPoints.first(STRIDE); killed; crashAt += STRIDE) {
      prepare(verb, crashAt, true);

      Command.Result result = run(option, "refuse", crashAt);

      boolean ran = result.code() == 0;
      assertThat(result.out()).as(at(crashAt)).isEqualTo(ran ? written : "");
      killed = host.isHookKilled();
      host.startAgent();
      String seen = again(option, crashAt) + "\n";
      // An end keeps its run, whatever dies; a start with --rm may begin without its state.
      if (ran && (verb.equals("delete") || !option.equals("--rm") || !killed)) {
        assertThat(seen).as(at(crashAt)).isEqualTo(written + crashAt + "\n");
      }
      assertThat(seen).as(at(crashAt)).isIn(written, written + crashAt + "\n");
      written = seen + crashAt + "\n";
      assertWhole(crashAt);
    }
  }

  private void killOneAtEachStep(String verb, String option)
      throws IOException, InterruptedException {
    String written = firstRun();
    boolean killed = true;
    for (int crashAt = CrashPoints.first(STRIDE); killed; crashAt += STRIDE) {
      prepare(verb, crashAt, false);

      assertThat(run(option, "run", crashAt).ok() + "\n").as(at(crashAt)).isEqualTo(written);
      written += crashAt + "\n";

      killed = host.isHookKilled();
      host.startAgent();
      assertThat(again(option, crashAt) + "\n").as(at(crashAt)).isEqualTo(written);
      written += crashAt + "\n";
      assertWhole(crashAt);
    }
  }

  private String firstRun() throws IOException, InterruptedException {
    host.desk("desk", "echo 0 >>/root/runs").ok();
    return "0\n";
  }

  private void prepare(String verb, int crashAt, boolean everyOne)
      throws IOException, InterruptedException {
    assertThat(crashAt).isLessThan(CHANGES_MAX);
    host.awaitIdle();
    host.stopAgent(false);
    host.killHooks(verb, crashAt, everyOne);
  }

  /** Prints what earlier runs wrote, and adds a line. */
  private Command.Result run(String option, String onFailure, int line)
      throws IOException, InterruptedException {
    return host.docker(
        "run",
        "--runtime=regen",
        option,
        "--network=none",
        "--name=desk",
        "--label=regen.on-failure=" + onFailure,
        Host.IMAGE,
        "sh",
        "-c",
        "cat /root/runs; echo " + line + " >>/root/runs");
  }

  /** The same again: the container that stayed, which then goes, or a new one. */
  private String again(String option, int line) throws IOException, InterruptedException {
    if (option.equals("--rm")) {
      return run(option, "refuse", line).ok();
    }
    String seen = host.docker("start", "-a", "desk").ok();
    host.docker("rm", "desk").ok();
    return seen;
  }

  private void assertWhole(int crashAt) throws IOException, InterruptedException {
    host.awaitIdle();
    assertThat(host.regen("verify", "desk").ok()).as(at(crashAt)).isNotEmpty();
  }

  private static String at(int crashAt) {
    return "killed at change %d".formatted(crashAt);
  }
}
