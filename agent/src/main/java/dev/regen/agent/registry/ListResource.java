package dev.regen.agent.registry;

import dev.regen.agent.tcp.Exchange;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.TagName;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** {@code /v2/NAME/tags/list} and {@code /v2/_catalog}, page by page. */
final class ListResource {
  private static final int PAGE_MAX = 10_000;
  private static final int DIGITS_MAX = 9;

  private final Registry registry;

  ListResource(Registry registry) {
    this.registry = registry;
  }

  void tags(Exchange exchange, RepositoryName repository) throws IOException {
    if (!registry.exists(repository)) {
      throw new RegistryException(
          RegistryException.Code.NAME_UNKNOWN,
          "there is no repository " + repository,
          new JsonObject().with("name", repository.value()));
    }
    String last = exchange.query("last");
    List<String> tags =
        registry.tags().all(repository).keySet().stream()
            .filter(tag -> last.isEmpty() || TagName.isBehind(tag, last))
            .map(TagName::value)
            .toList();
    JsonObject answer = new JsonObject().with("name", repository.value());
    answer(exchange, "/v2/" + repository + "/tags/list", answer, "tags", tags);
  }

  void catalog(Exchange exchange, Access.Rights rights) throws IOException {
    String last = exchange.query("last");
    List<String> names =
        registry.repositories().stream()
            .filter(name -> name.value().compareTo(last) > 0)
            .filter(name -> rights.may(name, Access.Right.PULL))
            .map(RepositoryName::value)
            .toList();
    answer(exchange, "/v2/_catalog", new JsonObject(), "repositories", names);
  }

  private static void answer(
      Exchange exchange, String path, JsonObject answer, String member, List<String> all)
      throws IOException {
    int count = count(exchange);
    List<String> page = all.subList(0, Math.min(count, all.size()));
    if (page.size() < all.size() && !page.isEmpty()) {
      String last = URLEncoder.encode(page.getLast(), StandardCharsets.UTF_8);
      exchange.set("Link", "<" + path + "?n=" + count + "&last=" + last + ">; rel=\"next\"");
    }
    exchange.answer(200, "application/json", answer.with(member, page).bytes());
  }

  private static int count(Exchange exchange) throws IOException {
    String text = exchange.query("n");
    if (text.isEmpty()) {
      return PAGE_MAX;
    }
    if (!text.matches("[0-9]+")) {
      throw new RegistryException(
          RegistryException.Code.PAGINATION_NUMBER_INVALID, "n is a number from 0 on, not " + text);
    }
    return text.length() > DIGITS_MAX ? PAGE_MAX : Math.min(PAGE_MAX, Integer.parseInt(text));
  }
}
