package dev.regen.agent.api;

import dev.regen.runtime.json.JsonObject;

/**
 * One thing that has changed.
 *
 * @param id its place in its log, for {@code Last-Event-ID}; one line without control characters
 * @param kind what kind of thing, one word
 * @param data a JSON object on one line
 */
public record Change(String id, String kind, String data) {
  public Change {
    if (!id.matches("[!-~]{1,128}") || !kind.matches("[a-z][a-zA-Z-]{0,31}")) {
      throw new IllegalArgumentException("no change has the id or the kind of this one");
    }
    if (data.indexOf('\n') >= 0 || data.indexOf('\r') >= 0) {
      throw new IllegalArgumentException("a change's data stand on one line");
    }
  }

  public Change(String id, String kind, JsonObject data) {
    this(id, kind, data.toString());
  }
}
