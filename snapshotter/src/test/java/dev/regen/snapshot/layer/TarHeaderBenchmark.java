package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Stat;
import java.nio.charset.StandardCharsets;
import java.util.List;
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

/** The headers of one file: with its time in nanoseconds, and with an attribute of 40 bytes too. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class TarHeaderBenchmark {
  private final TarHeader header = new TarHeader();
  private final TarHeader.Member plain = member(List.of());
  private final TarHeader.Member withAttribute =
      member(List.of(new Xattr("user.origin".getBytes(StandardCharsets.US_ASCII), new byte[40])));

  @Benchmark
  public int plain() {
    header.build(plain);
    return header.length();
  }

  @Benchmark
  public int withAttribute() {
    header.build(withAttribute);
    return header.length();
  }

  private static TarHeader.Member member(List<Xattr> attributes) {
    return new TarHeader.Member(
        TarHeader.FILE,
        "root/tree/package-12/part-7/file-80123.js".getBytes(StandardCharsets.US_ASCII),
        new byte[0],
        0644,
        1000,
        1000,
        new Stat.Time(1_790_000_000, 123_456_789),
        11_000,
        0,
        attributes);
  }
}
