package dev.regen.agent.jobs;

import dev.regen.snapshot.remote.Load;
import dev.regen.snapshot.transfer.TransferProgress;
import java.util.List;

/** A transfer as a job shows it: entries are chunks. */
public record JobTransfer(Job job) implements TransferProgress {
  @Override
  public void step(String words) {
    job.step(words);
  }

  @Override
  public void expected(long chunks, long bytes) {
    job.expected(chunks, bytes);
  }

  @Override
  public void done(long chunks, long bytes) {
    job.advanced(chunks, bytes);
  }

  @Override
  public void served(List<Load.Served> servers) {
    servers.forEach(one -> job.served(one.server(), one.bytes(), one.atOnce()));
  }

  @Override
  public boolean cancelled() {
    return job.cancelled();
  }
}
