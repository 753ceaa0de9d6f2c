package dev.regen.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * Turns measurements into a table, JSON and a picture, and holds them against the figures to reach.
 *
 * <p>Input: lines of a series' name, a tab and a number (milliseconds, or MB where the name says
 * so). A row of the scoreboard whose series were not all measured is left out.
 */
public final class Scoreboard {
  /** What was measured under one name, in order of size. */
  record Series(String name, List<Double> sorted) {
    double median() {
      int half = sorted.size() / 2;
      return sorted.size() % 2 == 1
          ? sorted.get(half)
          : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }
  }

  /**
   * One figure to reach.
   *
   * @param subject Regen's series
   * @param peer the series it is held against
   * @param figure computed from the medians, given their lookup
   * @param most what it may be at most
   */
  record Score(
      String title,
      String subject,
      String peer,
      Function<Function<String, Double>, Double> figure,
      double most,
      String unit) {}

  private static final List<Score> SCORES =
      List.of(
          added("hooks, agent up", "run, regen, agent up", "run, runc", 120),
          added("hooks, agent down", "run, regen, agent down", "run, runc (agent down)", 400),
          new Score(
              "a call passed on",
              "50 × regen-runtime state",
              "50 × runc state",
              m -> (m.apply("50 × regen-runtime state") - m.apply("50 × runc state")) / 50,
              5,
              "ms more"),
          ratio(
              "first capture, many files",
              "first capture: regen",
              "first capture: tar | zstd -3 -T2",
              0.9),
          ratio(
              "first capture, many files",
              "first capture: regen",
              "first capture: docker commit",
              1 / 6.0),
          ratio("first capture, many files", "first capture: regen", "first capture: restic", 1),
          ratio(
              "first capture, 4 GB in 40 files",
              "large capture: regen",
              "large capture: tar | zstd -3 -T2",
              0.9),
          ratio(
              "first capture, 4 GB in 40 files",
              "large capture: regen",
              "large capture: docker commit",
              1 / 6.0),
          ratio(
              "first capture, 4 GB in 40 files",
              "large capture: regen",
              "large capture: restic",
              1),
          ratio(
              "capture after 1 % changed",
              "second capture, clustered: regen", "second capture: bare walk", 3),
          ratio(
              "capture after 1 % changed",
              "second capture, clustered: regen", "second capture: docker commit", 1 / 20.0),
          ratio(
              "capture after 1 % changed",
              "second capture, clustered: regen", "second capture, clustered: restic", 1 / 5.0),
          ratio(
              "capture after 1 % changed, anywhere",
              "second capture, scattered: regen", "second capture, scattered: restic", 1),
          ratio(
              "restore to an empty directory", "restore: regen", "restore: zstd -d | tar -x", 0.7),
          ratio("restore to an empty directory", "restore: regen", "restore: restic", 1),
          added(
              "restore in place, until it runs",
              "restore in place: regen",
              "restore in place: docker run of a commit",
              1500),
          added(
              "next run, archived, against docker run --rm",
              "next run: regen, tree, archived",
              "next run: runc",
              120),
          added(
              "next run, archived, against an empty layer",
              "next run: regen, tree, archived",
              "next run: regen, empty",
              50),
          new Score(
              "next run at once after 1 % changed",
              "next run: regen, at once after 1 % changed",
              "next run: runc",
              m ->
                  (m.apply("next run: regen, at once after 1 % changed")
                          - m.apply("next run: runc"))
                      / m.apply("next run: bare walk"),
              3,
              "bare walks more"),
          new Score(
              "end of a kept container, 1 % changed",
              "docker stop: regen",
              "docker stop: runc",
              m ->
                  (m.apply("docker stop: regen") - m.apply("docker stop: runc"))
                      / m.apply("docker stop: bare walk"),
              2,
              "bare walks more"),
          ratio(
              "disk of a queue of 10 at 1 % each",
              "disk: queue of 10, MB", "disk: one snapshot, MB", 1.25),
          ratio(
              "disk of a queue of 10 at 1 % each",
              "disk: queue of 10, MB", "disk: ten commits, MB", 1),
          most("memory of the agent at rest", "agent at rest, MB", 150),
          most("memory while capturing", "first capture: agent, MB", 400),
          most("memory while capturing 20 GB", "20 GB: agent, MB", 400),
          growth("first capture", 1.1),
          growth("second capture", 1.1),
          ratio("moved to another host", "moved, 1gbit: regen", "moved, 1gbit: docker", 1 / 8.0),
          ratio(
              "moved again after 1 % changed",
              "moved after 1 % changed, 1gbit: regen",
              "moved after 1 % changed, 1gbit: docker",
              1 / 50.0),
          servers("100mbit", "push to", 2),
          servers("100mbit", "push to", 4),
          servers("100mbit", "pull from", 2),
          servers("100mbit", "pull from", 4),
          servers("400mbit", "push to", 2),
          servers("400mbit", "push to", 4),
          servers("400mbit", "pull from", 2),
          servers("400mbit", "pull from", 4),
          ratio(
              "load while uploading, 100 Mbit/s",
              "follow, 100mbit: followed",
              "follow, 100mbit: pushed then loaded",
              0.6),
          ratio(
              "load while uploading, 400 Mbit/s",
              "follow, 400mbit: followed",
              "follow, 400mbit: pushed then loaded",
              0.6),
          ratio(
              "push killed at 90 %, run again",
              "interrupted: run again, MB", "interrupted: a whole push, MB", 0.12),
          ratio(
              "pull, one of four servers killed",
              "dead: pull, one killed",
              "dead: pull, all four there",
              1.4),
          ratio(
              "pull, one of four servers cut off",
              "dead: pull, one cut off",
              "dead: pull, all four there",
              1.4),
          ratio("push to S3", "s3: push", "s3: one PUT", 1 / 1.5),
          ratio(
              "push to S3, 700 Mbit/s a connection",
              "s3, 700mbit each: push",
              "s3, 700mbit each: one PUT",
              1 / 1.5),
          ratio("push of a 1 GiB blob", "blob push: manager", "blob push: registry", 1),
          ratio("pull of a 1 GiB blob", "blob pull: manager", "blob pull: registry", 1),
          ratio(
              "push of a 1 GiB blob, 4 servers",
              "4 servers, push: manager",
              "4 servers, push: registry",
              1 / 3.5),
          ratio(
              "pull of a 1 GiB blob, 4 servers",
              "4 servers, pull: manager",
              "4 servers, pull: registry",
              1 / 3.5),
          ratio("docker push of ten layers", "image push: manager", "image push: registry", 1),
          ratio("docker pull of ten layers", "image pull: manager", "image pull: registry", 1),
          ratio("64 clients", "1,000 requests: manager", "1,000 requests: registry", 1),
          most("memory of the manager: blobs", "blob: manager, MB", 512),
          most("memory of the manager: 4 servers", "4 servers: manager, MB", 512),
          most("memory of the manager: images", "image: manager, MB", 512),
          most("memory of the manager: requests", "requests: manager, MB", 512));

  private final Map<String, Series> measured = new LinkedHashMap<>();

  private Scoreboard(List<String> lines) {
    Map<String, List<Double>> values = new LinkedHashMap<>();
    for (String line : lines) {
      int tab = line.indexOf('\t');
      values
          .computeIfAbsent(line.substring(0, tab), _ -> new ArrayList<>())
          .add(Double.parseDouble(line.substring(tab + 1)));
    }
    values.forEach(
        (name, all) -> measured.put(name, new Series(name, all.stream().sorted().toList())));
  }

  /** Arguments: measurements, JSON to write, picture to write, what was measured in words. */
  public static void main(String[] args) throws IOException {
    Scoreboard board = new Scoreboard(Files.readAllLines(Path.of(args[0])));
    System.out.print(board.table());
    Files.writeString(Path.of(args[1]), board.json(args[3]));
    Files.writeString(Path.of(args[2]), new ScoreboardPicture(args[3], board.bars()).svg());
  }

  private static Score ratio(String title, String subject, String peer, double most) {
    return new Score(title, subject, peer, m -> m.apply(subject) / m.apply(peer), most, "×");
  }

  private static Score added(String title, String subject, String peer, double mostMillis) {
    return new Score(
        title, subject, peer, m -> m.apply(subject) - m.apply(peer), mostMillis, "ms more");
  }

  private static Score most(String title, String subject, double mostMegabytes) {
    return new Score(title, subject, subject, m -> m.apply(subject), mostMegabytes, "MB");
  }

  /** The exponent e of time = files^e, from ten thousand files to a million. */
  private static Score growth(String what, double most) {
    String small = "growth: " + what + " of 10000 files";
    String great = "growth: " + what + " of 1000000 files";
    return new Score(
        "cost as files grow, " + what,
        great,
        small,
        m -> Math.log(m.apply(great) / m.apply(small)) / Math.log(100),
        most,
        "as exponent");
  }

  /** Nine tenths of so many times as fast as over one server. */
  private static Score servers(String rate, String what, int count) {
    String series = rate + " servers: " + what + " ";
    return ratio(series + count, series + count, series + "1", 1 / (0.9 * count));
  }

  private List<Score> scores() {
    return SCORES.stream()
        .filter(score -> isMeasured(score.subject()) && isMeasured(score.peer()))
        .filter(score -> Double.isFinite(figure(score)))
        .toList();
  }

  private boolean isMeasured(String series) {
    return measured.containsKey(series);
  }

  private double figure(Score score) {
    return score.figure().apply(name -> isMeasured(name) ? median(name) : Double.NaN);
  }

  private double median(String series) {
    Series found = measured.get(series);
    if (found == null) {
      throw new IllegalArgumentException(series);
    }
    return found.median();
  }

  private String table() {
    StringBuilder table = new StringBuilder();
    table.append(
        String.format(
            "%n%-48s %10s %10s %10s %5s%n",
            "SERIES (ms unless it says MB)", "MEDIAN", "LEAST", "MOST", "TIMES"));
    for (Series series : measured.values()) {
      table.append(
          String.format(
              Locale.ROOT,
              "%-48s %10.1f %10.1f %10.1f %5d%n",
              series.name(),
              series.median(),
              series.sorted().getFirst(),
              series.sorted().getLast(),
              series.sorted().size()));
    }
    table.append(
        String.format("%n%-44s %-36s %22s %10s%n", "SCORE", "AGAINST", "FOUND", "AT MOST"));
    for (Score score : scores()) {
      table.append(
          String.format(
              Locale.ROOT,
              "%-44s %-36s %22s %10s %s%n",
              score.title(),
              score.peer().equals(score.subject()) ? "-" : score.peer(),
              String.format(Locale.ROOT, "%.2f %s", figure(score), score.unit()),
              String.format(Locale.ROOT, "%.2f", score.most()),
              figure(score) <= score.most() ? "" : "MISSED"));
    }
    return table.append('\n').toString();
  }

  private String json(String what) {
    List<String> series = new ArrayList<>();
    for (Series one : measured.values()) {
      series.add(
          String.format(
              Locale.ROOT,
              "  {\"series\": %s, \"median\": %.1f, \"least\": %.1f, \"most\": %.1f, \"times\": %d}",
              quoted(one.name()),
              one.median(),
              one.sorted().getFirst(),
              one.sorted().getLast(),
              one.sorted().size()));
    }
    List<String> scores = new ArrayList<>();
    for (Score score : scores()) {
      scores.add(
          String.format(
              Locale.ROOT,
              "  {\"score\": %s, \"against\": %s, \"found\": %.3f, \"atMost\": %.3f, \"unit\": %s}",
              quoted(score.title()),
              quoted(score.peer()),
              figure(score),
              score.most(),
              quoted(score.unit())));
    }
    return "{\"tree\": "
        + quoted(what)
        + ",\n \"series\": [\n"
        + String.join(",\n", series)
        + "],\n \"scores\": [\n"
        + String.join(",\n", scores)
        + "]}\n";
  }

  private static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }

  /** A group of bars for each thing that Regen and its peers both did. */
  private Map<String, Map<String, Double>> bars() {
    Map<String, Map<String, Double>> groups = new LinkedHashMap<>();
    for (Score score : scores()) {
      if (!score.subject().equals(score.peer()) && !score.unit().equals("as exponent")) {
        Map<String, Double> bars =
            groups.computeIfAbsent(
                score.title() + (score.subject().endsWith("MB") ? " (MB)" : " (ms)"),
                _ -> new LinkedHashMap<>());
        bars.put("Regen", median(score.subject()));
        bars.put(label(score.peer()), median(score.peer()));
      }
    }
    return groups;
  }

  private static String label(String series) {
    return series.substring(series.indexOf(": ") + (series.contains(": ") ? 2 : 1));
  }
}
