package dev.regen.agent;

import dev.regen.agent.api.ApiDocument;
import dev.regen.agent.api.ApiLimits;
import dev.regen.agent.api.ApiPort;
import dev.regen.agent.api.ApiServer;
import dev.regen.agent.api.AuditLog;
import dev.regen.agent.api.Changes;
import dev.regen.agent.api.Routes;
import dev.regen.agent.api.TokenCallers;
import dev.regen.agent.api.Tokens;
import dev.regen.agent.container.BaseImages;
import dev.regen.agent.container.ContainerCapture;
import dev.regen.agent.container.ContainerRestore;
import dev.regen.agent.container.Differences;
import dev.regen.agent.container.FromStore;
import dev.regen.agent.container.ImageLayers;
import dev.regen.agent.container.ImageTransfers;
import dev.regen.agent.container.InPlaceRestore;
import dev.regen.agent.container.MountedSnapshots;
import dev.regen.agent.container.NextRun;
import dev.regen.agent.container.PlainContainers;
import dev.regen.agent.container.PlainLayers;
import dev.regen.agent.container.QueueArrival;
import dev.regen.agent.container.QueueDeparture;
import dev.regen.agent.container.SharedLayers;
import dev.regen.agent.container.StoppedForRestore;
import dev.regen.agent.container.Targets;
import dev.regen.agent.container.ToStores;
import dev.regen.agent.hook.EventNotices;
import dev.regen.agent.hook.HookServer;
import dev.regen.agent.hook.HookWatch;
import dev.regen.agent.http.AccessResource;
import dev.regen.agent.http.ActivityResource;
import dev.regen.agent.http.ChangeResource;
import dev.regen.agent.http.ContainerResource;
import dev.regen.agent.http.DiffResource;
import dev.regen.agent.http.EncryptionResource;
import dev.regen.agent.http.ImageResource;
import dev.regen.agent.http.LabelResource;
import dev.regen.agent.http.MountResource;
import dev.regen.agent.http.MoveResource;
import dev.regen.agent.http.QueueResource;
import dev.regen.agent.http.QueueViews;
import dev.regen.agent.http.SnapshotResource;
import dev.regen.agent.http.StoreCareResource;
import dev.regen.agent.http.StoreResource;
import dev.regen.agent.http.TransferResource;
import dev.regen.agent.http.VerifyResource;
import dev.regen.agent.jobs.EngineEnds;
import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Housekeeping;
import dev.regen.agent.jobs.Jobs;
import dev.regen.agent.jobs.LayerIntake;
import dev.regen.agent.jobs.OpenStores;
import dev.regen.agent.jobs.SpoolDrain;
import dev.regen.agent.jobs.StartSweep;
import dev.regen.agent.node.Node;
import dev.regen.agent.observe.AgentGauges;
import dev.regen.agent.observe.AgentMetrics;
import dev.regen.agent.observe.Exposition;
import dev.regen.agent.observe.ProcessGauges;
import dev.regen.agent.observe.StoreHealth;
import dev.regen.agent.observe.Traces;
import dev.regen.agent.rules.Snapshots;
import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.docker.EngineEvent;
import dev.regen.runtime.docker.EngineEvents;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.oci.Fences;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.runtime.oci.RuntimeExtension;
import dev.regen.runtime.oci.SeenImages;
import dev.regen.runtime.oci.Spool;
import dev.regen.runtime.oci.Stores;
import dev.regen.runtime.oci.Views;
import dev.regen.snapshot.capture.Arrivals;
import dev.regen.snapshot.capture.Captures;
import dev.regen.snapshot.capture.UnpackedTrees;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.crypt.Keyset;
import dev.regen.snapshot.layer.LayerArchiver;
import dev.regen.snapshot.layer.LayerExport;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.restore.HotTrees;
import dev.regen.snapshot.restore.QueuedTrees;
import dev.regen.snapshot.restore.Successors;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import dev.regen.snapshot.transfer.Follow;
import dev.regen.snapshot.transfer.Pull;
import dev.regen.snapshot.transfer.Push;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The node agent, wired by hand. One may run on a home at a time. */
public final class Agent implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Agent.class);

  /** How long what an interrupted pull has fetched waits for the next one. */
  private static final Duration ARRIVING_MAX = Duration.ofDays(1);

  private final AgentConfiguration configuration;
  private final AgentLock lock;
  private final Engine engine;
  private final EngineEvents engineEvents;
  private final EngineEnds ends;
  private final RuntimeExtension extension;
  private final SpoolDrain drain;
  private final Housekeeping housekeeping;
  private final UnpackedTrees unpacked;
  private final PlainContainers plain;
  private final StartSweep sweep;
  private final AfterStart afterStart;
  private final Changes changes = new Changes();
  private final Exposition exposition = new Exposition();
  private final HookWatch hookWatch;
  private final @Nullable StoreHealth storeHealth;
  private final @Nullable Traces traces;
  private final Jobs jobs;
  private final Routes routes;
  private final Tokens tokens;
  private final ApiServer api;
  private final Node node;
  private @Nullable ApiPort port;
  private @Nullable HookServer hooks;

  /**
   * Opens everything; nothing runs before {@link #start}.
   *
   * @throws dev.regen.snapshot.RegenException.Refused if another agent runs
   */
  public Agent(
      AgentConfiguration configuration, Map<String, String> environment, InstantSource clock)
      throws IOException {
    this(configuration, environment, clock, new LocalDisk());
  }

  /** As above, over a disk that a test may let fail. */
  Agent(
      AgentConfiguration configuration,
      Map<String, String> environment,
      InstantSource clock,
      Disk disk)
      throws IOException {
    this.configuration = configuration;
    Path home = configuration.home();
    new Records(disk).makeDirectory(home);
    Files.createDirectories(
        configuration.run(),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    lock = AgentLock.take(configuration.run().resolve("agent.pid"));

    Keyset keys = new Keyset(new Records(disk), configuration.keyset(), clock);
    SnapshotQueues queues = new SnapshotQueues(disk, home.resolve("queues"));
    SnapshotStore snapshots = new SnapshotStore(disk, home.resolve("snapshots"), keys);
    PackedChunkStore chunks = new PackedChunkStore(disk, home.resolve("chunks"));
    ChunkReader reader = new ChunkReader(chunks, keys);
    LayerArchiver archiver = new LayerArchiver(chunks, configuration.compressors());
    LayerRestorer restorer = new LayerRestorer(reader, configuration.compressors());
    AgentMetrics metrics = new AgentMetrics(exposition);
    Captures captures =
        new Captures(disk, home, queues, snapshots, chunks, archiver::archive, keys);
    captures.watch(metrics::captured);
    unpacked = captures.unpacked();
    HotTrees hotTrees = new HotTrees(disk, restorer, snapshots, unpacked::note);
    Spool spool = new Spool(disk, home.resolve("spool"));
    Stores stores = new Stores(disk, home.resolve("stores"));
    Events events = new Events(disk, home, clock);
    ChangeResource changeResource = new ChangeResource(changes);
    events.listen(event -> {
      changeResource.event(event);
      metrics.event(event);
    });
    Node joined = new Node(configuration.fleet(), disk, home, configuration.run(), events, clock);
    node = joined;
    queues.watch(changeResource::queue);
    queues.watch(joined);
    captures.arrivals().watch(changeResource::arriving);
    jobs =
        Jobs.open(
            disk,
            home,
            configuration.jobs(),
            clock,
            words -> events.tell(Event.Kind.DEGRADED, null, words));
    jobs.listen(changeResource::job);
    jobs.listen(metrics::job);
    traces = traces(configuration, clock);
    if (traces != null) {
      jobs.listen(traces::job);
    }

    engine = Engine.of(environment);
    engineEvents = new EngineEvents(engine, clock, firstOfInterest(spool, clock), this::hear);
    ends = new EngineEnds(engine, engineEvents::connected);
    KnownContainers containers = new KnownContainers(disk, home, captures.files());
    Targets targets = new Targets(engine, containers);
    housekeeping =
        new Housekeeping(
            queues,
            hotTrees,
            () -> collect(captures, clock),
            stores,
            new Views(home),
            configuration.hotTreeBytes(),
            HotTrees.IN_USE,
            clock);
    LayerIntake intake =
        new LayerIntake(
            spool,
            new Views(home),
            captures,
            hotTrees,
            containers,
            housekeeping,
            new SharedLayers(targets),
            events);
    drain = new SpoolDrain(spool, ends, intake, jobs, events, configuration.spoolPoll());
    extension =
        new RuntimeExtension(
            disk,
            home,
            configuration.dataRoots(),
            new QueuedTrees(queues, snapshots, hotTrees),
            drain,
            captures.files(),
            new EventNotices(events),
            clock);
    sweep =
        new StartSweep(spool, stores, new Views(home), queues, snapshots, captures.files(), events);

    PlainLayers plainLayers = new PlainLayers(disk, spool, stores, targets);
    plain = new PlainContainers(targets, plainLayers, drain, events);
    ContainerCapture capture =
        new ContainerCapture(
            engine, targets, containers, plainLayers, captures, drain, events, disk, home, clock);
    StoppedForRestore stopped = new StoppedForRestore(engine, targets, events, disk, home);
    InPlaceRestore inPlace =
        new InPlaceRestore(
            engine,
            targets,
            containers,
            plainLayers,
            capture,
            captures.files(),
            hotTrees,
            drain,
            spool,
            stopped,
            clock);
    Successors successors =
        new Successors(
            disk,
            queues,
            restorer,
            hotTrees,
            (tree, id, cancelled) -> captures.files().present(tree, snapshots.read(id), cancelled));
    Fences fences = new Fences(disk, home);
    NextRun nextRun = new NextRun(queues, hotTrees, successors, stores);
    ContainerRestore restore =
        new ContainerRestore(
            engine,
            targets,
            containers,
            inPlace,
            drain,
            queues,
            snapshots,
            captures.arrivals(),
            captures.checks(),
            nextRun,
            fences,
            events);
    OpenStores openStores = new OpenStores();
    ImageTransfers imageTransfers = new ImageTransfers(engine, openStores, events);
    BaseImages baseImages = new BaseImages(imageTransfers);
    ToStores toStores =
        new ToStores(
            drain,
            captures.arrivals(),
            new Push(queues, snapshots, chunks),
            snapshots,
            baseImages,
            chunks::get,
            openStores,
            events);
    Pull pull = new Pull(queues, snapshots, chunks, captures.arrivals());
    Follow follow = new Follow(queues, chunks, captures.arrivals(), pull);
    FromStore fromStore =
        new FromStore(queues, pull, follow, baseImages, nextRun, containers, openStores, events);
    QueueArrival arrival =
        new QueueArrival(engine, targets, fences, fromStore, restore, events, disk, home);
    QueueDeparture departure =
        new QueueDeparture(
            engine, targets, fences, queues, drain, toStores, restore, arrival, events, clock);
    ImageLayers images = new ImageLayers(engine, new SeenImages(disk, home));
    MountedSnapshots mounts = new MountedSnapshots(images, restorer, captures, disk, home);
    afterStart =
        new AfterStart(extension, drain, captures.removals(), containers, capture, stopped, mounts);

    AuditLog audit = new AuditLog(disk, home, clock);
    tokens = new Tokens(disk, home.resolve("tokens.json"), clock);
    routes =
        new Routes(ApiDocument.of(ActivityResource.class), audit)
            .recordIn(jobs)
            .measureWith(metrics)
            .add("getMetrics", _ -> exposition.answer());
    new AccessResource(tokens, audit, clock).addTo(routes);
    Arrivals arrivals = captures.arrivals();
    QueueViews views = new QueueViews(queues, snapshots, drain, arrivals, containers, fences);
    Snapshots found = new Snapshots(snapshots, arrivals);
    new QueueResource(views, drain, captures.removals(), containers).addTo(routes);
    new SnapshotResource(found, queues, views, captures.removals(), arrivals, jobs).addTo(routes);
    new LabelResource(queues, node).addTo(routes);
    changeResource.addTo(routes);
    new ActivityResource(events, jobs).addTo(routes);
    new ContainerResource(containers, views, targets, capture, restore, fromStore, jobs)
        .addTo(routes);
    new TransferResource(
            found,
            queues,
            snapshots,
            captures,
            new LayerExport(reader),
            images,
            jobs,
            events,
            disk,
            home,
            clock)
        .addTo(routes);
    new EncryptionResource(
            keys,
            queues,
            snapshots,
            found,
            captures.sealing(),
            jobs,
            events,
            changeResource::sealed)
        .addTo(routes);
    new VerifyResource(captures.checks(), queues, stores, jobs, events).addTo(routes);
    new DiffResource(
            found,
            snapshots,
            new Differences(targets, containers, plainLayers, images, captures, reader, clock))
        .addTo(routes);
    new MountResource(found, snapshots, mounts, jobs).addTo(routes);
    new StoreResource(toStores, fromStore, openStores, configuration.store(), jobs).addTo(routes);
    new MoveResource(departure, arrival, configuration.store(), jobs).addTo(routes);
    new ImageResource(imageTransfers, configuration.store(), jobs).addTo(routes);
    new StoreCareResource(openStores, configuration.store(), jobs, events, clock).addTo(routes);
    routes.requireComplete();
    Traces sent = traces;
    hookWatch =
        sent == null
            ? metrics
            : (verb, answer, took) -> {
              metrics.called(verb, answer, took);
              sent.called(verb, answer, took);
            };
    ProcessGauges.addTo(exposition);
    new AgentGauges(exposition, clock)
        .jobs(jobs)
        .spool(drain)
        .engine(engineEvents::connected)
        .home(home, queues);
    storeHealth =
        configuration.store() == null ? null : StoreHealth.of(configuration.store(), exposition);
    api =
        new ApiServer(
            configuration.run().resolve("regen.sock"), routes, configuration.api().socketGroup());
  }

  /** Finishes what crashes left undone, then answers hooks and requests from then on. */
  public void start() throws IOException {
    extension.recover();
    sweep.run();
    hooks =
        new HookServer(
            configuration.run(),
            new Views(configuration.home()),
            extension,
            drain::look,
            hookWatch);
    engineEvents.start();
    drain.start();
    housekeeping.start();
    api.start();
    jobs.goOn(routes::performAgain);
    openPort();
    node.start(routes, jobs);
    afterStart.start();
    LOG.info("ready: home {}, socket in {}", configuration.home(), configuration.run());
  }

  private void openPort() throws IOException {
    ApiConfiguration open = configuration.api();
    Listening listening = open.listening();
    if (listening == null) {
      return;
    }
    if (listening.certificate() == null && open.insecure()) {
      LOG.warn(
          "tokens go to {} in the plain: anybody on the way can read them", listening.address());
    }
    ApiLimits limits = ApiLimits.REMOTE.withRequestsPerSecond(open.requestsPerSecond());
    port = new ApiPort(listening, routes, TokenCallers.of(tokens), limits);
    LOG.info("the API is on {} too, for those with a token", port.uri());
  }

  /** Where the API is on TCP, for a test that let it choose the port. */
  @Nullable URI uri() {
    return port == null ? null : port.uri();
  }

  @Override
  public void close() throws IOException {
    LOG.info("stopping");
    changes.close();
    node.close();
    jobs.close();
    if (hooks != null) {
      hooks.close();
    }
    afterStart.close();
    engineEvents.close();
    plain.close();
    drain.close();
    housekeeping.close();
    unpacked.close();
    ApiPort open = port;
    try (lock;
        engine;
        api;
        open;
        storeHealth;
        traces) {
      LOG.debug("closing what is left");
    }
  }

  private static @Nullable Traces traces(AgentConfiguration configuration, InstantSource clock)
      throws IOException {
    URI to = configuration.observe().traces();
    String host = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    return to == null ? null : new Traces(to, "regen-agent", host, clock);
  }

  private static void collect(Captures captures, InstantSource clock) {
    captures.arrivals().giveUpOlderThan(clock.instant().minus(ARRIVING_MAX));
    captures.removals().collect();
  }

  private void hear(EngineEvent event) {
    ends.hear(event);
    plain.hear(event);
  }

  /** The engine still remembers ends that came while no agent ran. */
  private static Instant firstOfInterest(Spool spool, InstantSource clock) throws IOException {
    Instant first = clock.instant();
    for (FrozenLayer layer : spool.list()) {
      Instant started = layer.run().startedAt();
      Instant from = started == null ? layer.endedAt() : started;
      first = from.isBefore(first) ? from : first;
    }
    return first.minusSeconds(1);
  }
}
