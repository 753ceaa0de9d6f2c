package dev.regen.agent.container;

import dev.regen.snapshot.remote.Load;
import dev.regen.snapshot.transfer.TransferProgress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Two transfers as one: what is to be done and what is done is counted together. */
final class BothTransfers {
  private final TransferProgress all;
  private final long[][] expected = new long[2][2];
  private final long[][] done = new long[2][2];

  BothTransfers(TransferProgress all) {
    this.all = all;
  }

  /** One of them, 0 or 1. */
  TransferProgress part(int number) {
    return new TransferProgress() {
      @Override
      public void step(String words) {
        all.step(words);
      }

      @Override
      public void expected(long chunks, long bytes) {
        set(number, new long[] {chunks, bytes}, new long[2]);
      }

      @Override
      public void done(long chunks, long bytes) {
        set(number, null, new long[] {chunks, bytes});
      }

      @Override
      public void served(List<Load.Served> servers) {
        all.served(servers);
      }

      @Override
      public boolean cancelled() {
        return all.cancelled();
      }
    };
  }

  private synchronized void set(int number, long @Nullable [] newlyExpected, long[] newlyDone) {
    done[number] = newlyDone;
    if (newlyExpected != null) {
      expected[number] = newlyExpected;
      all.expected(expected[0][0] + expected[1][0], expected[0][1] + expected[1][1]);
    }
    all.done(done[0][0] + done[1][0], done[0][1] + done[1][1]);
  }
}
