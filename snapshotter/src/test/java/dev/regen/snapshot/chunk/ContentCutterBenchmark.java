package dev.regen.snapshot.chunk;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Cutting 16 MiB of random bytes by content. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ContentCutterBenchmark {
  private final byte[] bytes = new byte[16 << 20];
  private final ContentCutter cutter = new ContentCutter(Cutting.PLAIN);

  public ContentCutterBenchmark() {
    new Random(1).nextBytes(bytes);
  }

  @Benchmark
  public int cut() {
    cutter.reset();
    int cuts = 0;
    int at = 0;
    while (at >= 0) {
      at = cutter.next(bytes, at, bytes.length);
      cuts++;
    }
    return cuts;
  }
}
