package dev.regen.bench;

import java.util.Locale;
import java.util.Map;

/**
 * The scoreboard as one picture: a group of bars for each thing done, each group to its own scale.
 *
 * @param what what was measured, in words
 * @param groups by title; in each the length of a bar by its label
 */
record ScoreboardPicture(String what, Map<String, Map<String, Double>> groups) {
  private static final int WIDTH = 900;
  private static final int LEFT = 230;
  private static final int BAR_MOST = 540;
  private static final int BAR_STEP = 20;
  private static final int GROUP_STEP = 34;

  String svg() {
    StringBuilder body = new StringBuilder();
    int y = 50;
    for (Map.Entry<String, Map<String, Double>> group : groups.entrySet()) {
      text(body, 16, y, "title", group.getKey());
      y += 8;
      double longest = group.getValue().values().stream().mapToDouble(v -> v).max().orElse(1);
      for (Map.Entry<String, Double> bar : group.getValue().entrySet()) {
        bar(body, y, bar.getKey(), bar.getValue(), longest);
        y += BAR_STEP;
      }
      y += GROUP_STEP;
    }
    return """
    <svg xmlns="http://www.w3.org/2000/svg" width="%1$d" height="%2$d" viewBox="0 0 %1$d %2$d" role="img">
    <title>Regen and its peers, %3$s; shorter is better</title>
    <style>
    text { font: 13px sans-serif; fill: #24292f } .title { font-weight: bold } .label { text-anchor: end }
    .regen { fill: #1a7f5a } .peer { fill: #b6bec9 } .note { fill: #57606a }
    </style>
    <rect width="%1$d" height="%2$d" fill="#ffffff"/>
    <text x="16" y="22" class="note">%3$s; medians; shorter is better; each group has its own scale</text>
    %4$s</svg>
    """
        .formatted(WIDTH, y, escaped(what), body);
  }

  private static void bar(StringBuilder body, int y, String label, double value, double longest) {
    text(body, LEFT - 8, y + 13, "label", label);
    double width = Math.max(1, BAR_MOST * value / longest);
    body.append(
        String.format(
            Locale.ROOT,
            "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"15\"/>%n",
            label.equals("Regen") ? "regen" : "peer",
            LEFT,
            y + 2,
            width));
    text(
        body,
        (int) (LEFT + width + 6),
        y + 13,
        "number",
        String.format(Locale.ROOT, value < 100 ? "%.1f" : "%,.0f", value));
  }

  private static void text(StringBuilder body, int x, int y, String kind, String words) {
    body.append(
        String.format(
            Locale.ROOT,
            "<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>%n",
            kind,
            x,
            y,
            escaped(words)));
  }

  private static String escaped(String words) {
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
