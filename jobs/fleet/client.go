//go:build fleet

package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"

	"backhaul/jobs/books"
)

// Dial connects to Temporal as the variables say. Its namespace must be there.
func Dial(ctx context.Context, variable func(string) string) (client.Client, error) {
	profile, err := envconfig.LoadClientConfigProfile(envconfig.LoadClientConfigProfileOptions{DisableFile: true, EnvLookup: lookup(variable)})
	if err != nil {
		return nil, fmt.Errorf("read TEMPORAL_…: %w", err)
	}
	if profile.Address == "" {
		return nil, errors.New("set TEMPORAL_ADDRESS to the host:port of Temporal")
	}
	options, err := profile.ToClientOptions(envconfig.ToClientOptionsRequest{})
	if err != nil {
		return nil, fmt.Errorf("read TEMPORAL_…: %w", err)
	}
	options.Logger = silent{}
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("connect to Temporal at %s: %w", profile.Address, err)
	}
	return c, nil
}

// lookup are the variables of an environment that envconfig asks for.
type lookup func(string) string

func (l lookup) LookupEnv(name string) (string, bool) {
	value := l(name)
	return value, value != ""
}

// Environ is asked for headers (TEMPORAL_GRPC_META_…), which can have any name: there are none.
func (lookup) Environ() []string { return nil }

// silent is a logger that says nothing: what matters is in errors and in Temporal's own history.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

var _ log.Logger = silent{}

// idOf is the workflow id of a run.
func idOf(queue string, run books.Key) string { return queue + "/" + run.String() }

// QueueOf is where the lists of an account are bought.
func QueueOf(queue, account string) string { return queue + "/" + account }

// replaysOf is where runs are replayed. No account has such a name.
func replaysOf(queue string) string { return QueueOf(queue, "replays") }

// What runs are found by.
var (
	jobAttribute    = temporal.NewSearchAttributeKeyKeyword("BackhaulJob")
	dateAttribute   = temporal.NewSearchAttributeKeyKeyword("BackhaulRunDate")
	vendorAttribute = temporal.NewSearchAttributeKeyKeywordList("BackhaulVendor")
	clientAttribute = temporal.NewSearchAttributeKeyKeyword("BackhaulClient")
)

func attributesOf(o Order) temporal.SearchAttributes {
	set := []temporal.SearchAttributeUpdate{jobAttribute.ValueSet(o.Job)}
	if len(o.Vendors) > 0 {
		set = append(set, vendorAttribute.ValueSet(o.Vendors))
	}
	if o.RunDate != "" {
		set = append(set, dateAttribute.ValueSet(o.RunDate))
	}
	if o.Client != "" {
		set = append(set, clientAttribute.ValueSet(o.Client))
	}
	return temporal.NewSearchAttributes(set...)
}

// Register has Temporal know what runs are found by, where that is not so. It may be that only others may do that.
func Register(ctx context.Context, c client.Client, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: namespace,
		SearchAttributes: map[string]enumspb.IndexedValueType{
			jobAttribute.GetName(): enumspb.INDEXED_VALUE_TYPE_KEYWORD, dateAttribute.GetName(): enumspb.INDEXED_VALUE_TYPE_KEYWORD,
			vendorAttribute.GetName(): enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST, clientAttribute.GetName(): enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		},
	})
	if errors.As(err, new(*serviceerror.AlreadyExists)) {
		return nil
	}
	return err
}

// startWorkflow starts one to be found by its attributes, or without them where Temporal does not know those.
func startWorkflow(ctx context.Context, c client.Client, options client.StartWorkflowOptions, found temporal.SearchAttributes, workflow string, args ...any) (client.WorkflowRun, error) {
	options.TypedSearchAttributes = found
	begun, err := c.ExecuteWorkflow(ctx, options, workflow, args...)
	if isUnknownAttribute(err) {
		options.TypedSearchAttributes = temporal.NewSearchAttributes()
		begun, err = c.ExecuteWorkflow(ctx, options, workflow, args...)
	}
	return begun, err
}

// startThrough is startWorkflow through outages of Temporal, until ctx ends.
func startThrough(ctx context.Context, c client.Client, options client.StartWorkflowOptions, found temporal.SearchAttributes, workflow string, args ...any) (client.WorkflowRun, error) {
	for {
		begun, err := startWorkflow(context.WithoutCancel(ctx), c, options, found, workflow, args...)
		if err == nil || ctx.Err() != nil || !isAway(err) {
			return begun, err
		}
		time.Sleep(time.Second)
	}
}

func isUnknownAttribute(err error) bool {
	return errors.As(err, new(*serviceerror.InvalidArgument)) && strings.Contains(err.Error(), "search attribute")
}

// Wait starts a run, or attaches to the one that is under way, and waits for it: through outages of Temporal. Told is called with how far
// it has come. When ctx ends the run is cancelled, as if its process was told to stop, and waited for still.
func Wait(ctx context.Context, c client.Client, queue string, o Order, told func(Progress)) (report Report, attached bool, err error) {
	options := optionsOf(idOf(queue, o.Run()), queue, o)
	attached = isUnderWay(ctx, c, options.ID)
	begun, err := startWorkflow(ctx, c, options, attributesOf(o), runWorkflow, o)
	if err != nil {
		return report, attached, fmt.Errorf("start the run: %w", err)
	}
	err = await(ctx, c, begun, &report, time.Second, func(ctx context.Context) {
		if p, ok := progressOf(ctx, c, begun); ok {
			told(p)
		}
	})
	report, err = reported(report, err)
	return report, attached, err
}

// optionsOf are those of a workflow that carries an order out. A second start of it attaches to the first.
func optionsOf(id, queue string, o Order) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: id, TaskQueue: queue, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, Memo: map[string]any{"job": o.Job, "run_date": o.RunDate},
	}
}

func isUnderWay(ctx context.Context, c client.Client, id string) bool {
	seen, err := c.DescribeWorkflow(ctx, id, "")
	return err == nil && seen.Status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
}

// await waits for a workflow, through outages of Temporal, and looks at it every so often. When ctx ends it is cancelled, and waited for
// still.
func await(ctx context.Context, c client.Client, of client.WorkflowRun, result any, every time.Duration, look func(context.Context)) error {
	waiting, over := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		accompany(ctx, waiting, c, of, every, look)
	}()
	defer func() {
		over()
		<-done
	}()
	for {
		if err := of.Get(waiting, result); err == nil || isFinal(err) {
			return err
		}
		time.Sleep(time.Second) // Temporal does not answer
	}
}

// accompany looks at a workflow every so often until over ends, and cancels it when ctx does.
func accompany(ctx, over context.Context, c client.Client, of client.WorkflowRun, every time.Duration, look func(context.Context)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for stopped := ctx.Done(); ; {
		select {
		case <-over.Done():
			return
		case <-stopped:
			if err := c.CancelWorkflow(over, of.GetID(), of.GetRunID()); err == nil || !isAway(err) {
				stopped = nil
			}
		case <-tick.C:
			look(over)
		}
	}
}

// progressOf reads how far a run has come from the heartbeat of its conductor.
func progressOf(ctx context.Context, c client.Client, of client.WorkflowRun) (p Progress, ok bool) {
	seen, err := c.DescribeWorkflow(ctx, of.GetID(), of.GetRunID())
	if err != nil {
		return p, false
	}
	for _, a := range seen.RawResponse.PendingActivities {
		if details := a.GetHeartbeatDetails(); details != nil {
			return p, client.NewValues(details).Get(&p) == nil
		}
	}
	return p, false
}

// reported is the report of a run that did not end as a workflow that completed.
func reported(report Report, err error) (Report, error) {
	var failed *temporal.ApplicationError
	var stopped *temporal.CanceledError
	switch {
	case err == nil:
		return report, nil
	case errors.As(err, &failed) && failed.HasDetails():
		return report, failed.Details(&report)
	case errors.As(err, &stopped) && stopped.HasDetails():
		return report, stopped.Details(&report)
	case errors.As(err, &failed):
		return report, errors.New(failed.Message())
	}
	return report, err
}
