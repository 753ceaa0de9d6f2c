package dev.regen.runtime.durable;

import dev.regen.runtime.durable.FaultyDisk.Survivors;
import java.util.ArrayList;
import java.util.List;

/** Runs work again and again and cuts the power at its first, second, third … operation. */
public final class PowerCuts {
  private static final long OPERATIONS_MAX = 10_000;
  private static final int SEEDS = 4;

  private PowerCuts() {}

  /** Brings a fresh disk to where the work begins. */
  @FunctionalInterface
  public interface Setup {
    void run(FaultyDisk disk) throws Exception;
  }

  /** Looks at a disk after the power came back. */
  @FunctionalInterface
  public interface Check {
    /**
     * Checks what must hold.
     *
     * @param finished whether the work had returned before the power went
     */
    void run(FaultyDisk disk, boolean finished) throws Exception;
  }

  /** Every way to lose what was not forced, at every operation of {@code work}. */
  public static void everywhere(Setup setup, Setup work, Check check) throws Exception {
    for (Case loss : cases()) {
      boolean finished = false;
      for (long cutAt = 1; !finished; cutAt++) {
        if (cutAt > OPERATIONS_MAX) {
          throw new AssertionError("the work never ends");
        }
        FaultyDisk disk = new FaultyDisk();
        setup.run(disk);
        FaultyDisk before = disk.reboot(Survivors.EVERYTHING, 0);
        before.cutPowerIn(cutAt, loss.seed());
        finished = before.survives(() -> work.run(before));
        try {
          check.run(before.reboot(loss.survivors(), loss.seed()), finished);
        } catch (Exception | AssertionError e) {
          String when = finished ? "after the end" : "at operation " + cutAt;
          throw new AssertionError("power cut " + when + ", " + loss, e);
        }
      }
    }
  }

  private record Case(Survivors survivors, long seed) {}

  private static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    cases.add(new Case(Survivors.ONLY_FORCED, 0));
    cases.add(new Case(Survivors.EVERYTHING, 0));
    for (long seed = 1; seed <= SEEDS; seed++) {
      cases.add(new Case(Survivors.SOME, seed));
    }
    return cases;
  }
}
